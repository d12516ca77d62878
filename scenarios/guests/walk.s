* walk.s - virtual storage: tables, faults on purpose, and recovery.
*
* This program makes its own segment and page tables, turns address
* translation (DAT) on, and then does everything that can go wrong with
* it, one thing after the other. Its program-interruption handler repairs
* the tables and tries again, as an operating system with demand paging
* does.
*
* The map. Segments of 64K, pages of 4K: of a 24-bit virtual address
*
*        bits 8-15       16-19       20-31
*        segment index   page index  byte index
*
*   virtual  000000-003FFF  real 000000-003FFF   program and tables
*            008000         real 008000
*            009000         real 009000          invalid at first
*            010000         real 008000          the same frame again
*            020000         (segment 2)          invalid at first
*
* A segment-table entry is a word: length of the page table, its address,
* and X'01' for "invalid". A page-table entry is a halfword: page-frame
* address in its upper 12 bits, X'0008' for "invalid".
*
* An exception of translation is NULLIFIED: nothing of the instruction
* was done, and the old PSW points to it, so that it can be tried again.
* The CPU tells where it happened: code at 142, virtual address at 144.
*
* It needs 64K. It ends in a disabled wait at 00C0DE when all went well,
* at 000BAD when not.
*
* Code and data lie below 4096 and need no base register; the tables lie
* in a page of their own, and register 11 points to them.
*
WALK     START 0
         USING WALK,0
         USING SEGTAB,11
         DC    X'0008000000000200'   0: restart new PSW - go to START
         ORG   WALK+32
SVCOLD   DS    D                    32
PGMOLD   DS    D                    40
         ORG   WALK+64
CSW      DS    D                    64
CAW      DS    F                    72
         ORG   WALK+88
         DC    X'000A000000000E58'  88: external - not expected
         DC    X'00080000',A(CALL)  96: SVC - go to CALL
         DC    X'00080000',A(FAULT) 104: program - go to FAULT
         DC    X'000A000000000E70' 112: machine check - not expected
         DC    X'00080000',A(IODONE) 120: I/O - go to IODONE
         ORG   WALK+140
PGMCODE  DS    F                   140: 0, length, code
FAULTVA  DS    F                   144: 0, virtual address
*
* All new PSWs have DAT off: the handlers see real storage.
*
*----------------------------------------------------------------------
* Start: control registers, then DAT on
*----------------------------------------------------------------------
         ORG   WALK+X'200'
START    L     11,TABLES
         LCTL  0,1,CONTROL          CR0: 4K pages, 64K segments;
*                                   CR1: where the segment table is.
         LPSW  DATON                From here on addresses are virtual.
*
* 1. Two virtual pages, one frame.
*
MAPPED   LA    1,M1
         SVC   1
         L     3,PAGE8              R3 = 008000
         L     4,ALIAS8             R4 = 010000
         MVC   0(8,3),MARK          Store here...
         CLC   0(8,4),MARK          ...and find it there.
         BNE   WRONG
         LRA   5,0(4)               Which real address is that?
         ST    5,WORK
         BAL   14,TOHEX
         MVC   M2HEX,HEX
         LA    1,M2
         SVC   1
*
* 2. A page that is not there. MVC faults; FAULT makes the entry valid;
*    the MVC is tried again, and succeeds.
*
         L     6,PAGE9              R6 = 009000
         MVC   0(8,6),MARK
         CLC   0(8,6),MARK
         BNE   WRONG
*
* 3. A whole segment that is not there; then a page in it.
*
         L     7,SEG2               R7 = 020000
         MVC   0(8,7),MARK
         CLC   0(8,7),MARK
         BNE   WRONG
*
* 4. An entry that was used is changed. The CPU may remember it (in its
*    translation-lookaside buffer), so it has to be told: IPTE makes one
*    entry invalid and forgets it, PTLB forgets everything.
*
         L     0,PGTAB0A            R0 = page table,
         LR    1,6                  R1 = virtual address in the page.
         IPTE  0,1                  Page 009000 is invalid now.
         MVC   PGTAB0+18(2),FRAMEA  It gets another frame: 00A000.
         CLC   0(8,6),MARK          Our mark must not be there.
         BE    WRONG
         LA    1,M4
         SVC   1
         MVC   PGTAB0+18(2),FRAME9  And the old frame again.
         PTLB
         CLC   0(8,6),MARK          The mark is back.
         BNE   WRONG
         LA    1,M5
         SVC   1
*
* 5. Problem state: the same program with fewer rights.
*
         LPSW  PROBLEM
LIMITED  LCTL  1,1,CONTROL+4        Privileged: interrupts instead.
         B     WRONG
*
* The handler continues here, in supervisor state.
*
ALLOWED  LA    1,M7
         SVC   1
         LPSW  DONE
WRONG    LPSW  BAD                  In problem state this faults, too.
*
*----------------------------------------------------------------------
* FAULT: the program-interruption handler; DAT is off
*----------------------------------------------------------------------
FAULT    STM   0,15,FSAVE
         L     11,TABLES            A handler relies on nothing.
         CLI   PGMCODE+3,X'11'      Page translation?
         BE    NOPAGE
         CLI   PGMCODE+3,X'10'      Segment translation?
         BE    NOSEG
         CLI   PGMCODE+3,X'02'      Privileged operation?
         BE    NORIGHT
         LPSW  BAD
*
NOPAGE   MVC   WORK(4),FAULTVA
         BAL   14,TOHEX
         MVC   M3HEX,HEX
         L     2,FAULTVA            Segment index x 4 ...
         SRL   2,16
         SLL   2,2
         L     3,SEGTAB(2)          ... finds the segment-table entry,
         N     3,ORIGIN             which has the page table's address.
         L     2,FAULTVA            Page index x 2 ...
         SRL   2,11
         N     2,INDEX
         AR    3,2                  ... finds the page-table entry.
         NI    1(3),X'F7'           Valid now. (Making an entry valid
*                                   needs no purge: an invalid one is
*                                   never remembered.)
         LA    1,M3
         SVC   1
         LM    0,15,FSAVE
         LPSW  PGMOLD               Try again.
*
NOSEG    MVC   WORK(4),FAULTVA
         BAL   14,TOHEX
         MVC   M6HEX,HEX
         L     2,FAULTVA
         SRL   2,16
         SLL   2,2
         LA    3,SEGTAB(2)
         NI    3(3),X'FE'           Valid now.
         LA    1,M6
         SVC   1
         LM    0,15,FSAVE
         LPSW  PGMOLD               Try again.
*
NORIGHT  LA    1,M8
         SVC   1
         LM    0,15,FSAVE
         LPSW  RESUME               Not again: go on with more rights.
*
* Six hexadecimal digits of the address in WORK, to HEX.
*
TOHEX    UNPK  HEX7(7),WORK+1(4)    Digits F0-F9 and FA-FF ...
         TR    HEX,DIGITS-240       ... become 0-9 and A-F.
         BR    14
*
*----------------------------------------------------------------------
* CALL: SVC 1 prints the line at register 1, its first byte its length.
* The line lies in pages whose virtual and real addresses are the same:
* channels know real addresses only.
*----------------------------------------------------------------------
CALL     STM   0,15,SAVE
         SR    2,2
         IC    2,0(1)
         STH   2,CCW+6
         LA    1,1(1)
         ST    1,CCW
         MVI   CCW,X'09'
         LA    1,CCW
         ST    1,CAW
         SIO   X'009'
         BC    7,BROKEN
         LPSW  WAIT
IODONE   TM    CSW+4,X'04'
         BC    8,STILL
         TM    CSW+4,X'03'
         BC    5,BROKEN
         LM    0,15,SAVE
         LPSW  SVCOLD               With DAT on or off, as it was.
STILL    LPSW  56
BROKEN   LPSW  BAD
*
         DS    0D
CCW      DC    X'0900000000000000'
DATON    DC    X'04080000',A(MAPPED)   EC, DAT on
PROBLEM  DC    X'04090000',A(LIMITED)  EC, DAT on, problem state
RESUME   DC    X'04080000',A(ALLOWED)  EC, DAT on
WAIT     DC    X'020A000000000000'
DONE     DC    X'000A00000000C0DE'
BAD      DC    X'000A000000000BAD'
CONTROL  DC    X'008000E0'          CR0
TABLES   DC    A(SEGTAB)            CR1: length 0 = 16 entries
PAGE8    DC    X'00008000'
PAGE9    DC    X'00009000'
ALIAS8   DC    X'00010000'
SEG2     DC    X'00020000'
PGTAB0A  DC    A(PGTAB0)
ORIGIN   DC    X'00FFFFF8'
INDEX    DC    X'0000001E'
FRAME9   DC    X'0090'
FRAMEA   DC    X'00A0'
MARK     DC    CL8'GREETING'
WORK     DS    F
HEX7     DS    0CL7
HEX      DS    CL6
         DS    C
DIGITS   DC    C'0123456789ABCDEF'
SAVE     DS    16F
FSAVE    DS    16F
*
M1       DC    AL1(L'M1T)
M1T      DC    C'DAT IS ON'
M2       DC    AL1(L'M2T+L'M2HEX)
M2T      DC    C'VIRTUAL 010000 AND 008000 ARE BOTH REAL '
M2HEX    DS    CL6
M3       DC    AL1(L'M3T+L'M3HEX+L'M3U)
M3T      DC    C'PAGE FAULT AT '
M3HEX    DS    CL6
M3U      DC    C': PAGE MADE VALID, TRYING AGAIN'
M4       DC    AL1(L'M4T)
M4T      DC    C'IPTE: PAGE 009000 HAS ANOTHER FRAME NOW'
M5       DC    AL1(L'M5T)
M5T      DC    C'PTLB: PAGE 009000 HAS ITS OLD FRAME AGAIN'
M6       DC    AL1(L'M6T+L'M6HEX+L'M6U)
M6T      DC    C'SEGMENT FAULT AT '
M6HEX    DS    CL6
M6U      DC    C': SEGMENT MADE VALID, TRYING AGAIN'
M7       DC    AL1(L'M7T)
M7T      DC    C'BACK IN SUPERVISOR STATE: DONE'
M8       DC    AL1(L'M8T)
M8T      DC    C'PROBLEM STATE TRIED LCTL: NOT ALLOWED'
*
* The tables, in page 2. The CPU reads them at real addresses.
*
         ORG   WALK+X'2000'
SEGTAB   DC    X'F0',AL3(PGTAB0)    Segment 0: all 16 pages in reach
         DC    X'F0',AL3(PGTAB1)    Segment 1
         DC    X'F0',AL3(PGTAB2+1)  Segment 2: invalid at first
         DC    13X'00000001'        Others: invalid
PGTAB0   DC    X'0000,0010,0020,0030'   Pages 0-3: frames 0-3
         DC    4X'0008'
         DC    X'0080'              Page 8: frame 8
         DC    X'0098'              Page 9: frame 9, invalid at first
         DC    6X'0008'
PGTAB1   DC    X'0080',15X'0008'    Page 010000: frame 8 again
PGTAB2   DC    X'00B8',15X'0008'    Page 020000: frame B, invalid
         END   START
