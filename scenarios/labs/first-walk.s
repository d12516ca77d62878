* first-walk.s - address translation, and a page that is not there.
*
* Real storage, in pages of 4K:
*
*   000000   this program
*   001000   the segment table, then the page table
*   008000   a page that has the virtual address 005000
*   009000   a page for the virtual address 006000, which has none yet
*
WALK     START 0
         USING WALK,0
         USING TABLES,11
         DC    X'0008000000000200'   0: restart new PSW - go to START
         ORG   WALK+40
OLD      DS    D                    40: program old PSW
         ORG   WALK+104
         DC    X'0008000000000300' 104: program new PSW - go to FAULT
         ORG   WALK+X'200'
START    L     11,ATABLES
         LCTL  0,1,CONTROL          4K pages; the segment table
         LPSW  DATON                From here on addresses are virtual.
MAPPED   L     3,AFIVE              R3 = 005000
         L     2,0(3)               What is there?
         L     4,ASIX               R4 = 006000
STORE    ST    2,0(4)               There is no page...
AGAIN    L     5,0(4)               ...now there is.
         LPSW  DONE
*
* The page fault comes here, with translation off.
*
         ORG   WALK+X'300'
FAULT    NI    PAGE6+1,X'F7'        The page is valid from now on.
         LPSW  OLD                  Try again.
*
         DS    0D
DATON    DC    X'0408000000000000'
         ORG   *-4
         DC    A(MAPPED)
DONE     DC    X'000A00000000C0DE'  The end: a wait for nothing.
CONTROL  DC    X'008000E0'          CR0: 4K pages, 64K segments
         DC    A(SEGMENTS)          CR1: where the segment table is
ATABLES  DC    A(TABLES)
AFIVE    DC    X'00005000'
ASIX     DC    X'00006000'
*
         ORG   WALK+X'1000'
TABLES   DS    0D
SEGMENTS DC    X'F0001040'          segment 0: its page table
         DC    15X'00000001'        the others: invalid
PAGES    DC    X'0000'              page 0: frame 000000
         DC    X'0010'              page 1: frame 001000
         DC    3X'0008'             pages 2 to 4: invalid
         DC    X'0080'              page 5: frame 008000
PAGE6    DC    X'0098'              page 6: frame 009000, invalid
         DC    9X'0008'             the others: invalid
         ORG   WALK+X'8000'
         DC    C'HERE'
         END   START
