* cards.s - three devices: cards are read, printed, and kept on disk.
*
* Each card of the deck in the reader (00C) is printed (00E) and written
* into a block of its own on the disk (150), from block 0 on, until the
* deck ends. Then the number of cards is at CARDS and the program stops.
*
* Everything is done by one routine, DOIO, which starts a channel program
* and waits for its end. Read hello.s first: low storage, the PSWs and
* the wait are explained there.
*
* It ends in a disabled wait; the address in it says how it went:
*
*   000000   all cards were listed
*   000BAD   a device is missing or did not do what it should
*   000E58   to 000E70: an interruption that nobody expects
*
CARDS    START 0
         USING CARDS,0
         DC    X'0000000000000200'   0: restart new PSW - go to START
         ORG   CARDS+64
CSW      DS    D
CAW      DS    F
         ORG   CARDS+88
         DC    X'0002000000000E58'  88: external new PSW
         DC    X'0002000000000E60'  96: supervisor-call new PSW
         DC    X'0002000000000E68' 104: program new PSW
         DC    X'0002000000000E70' 112: machine-check new PSW
         DC    A(0,IODONE)         120: I/O new PSW - go to IODONE
*
         ORG   CARDS+X'200'
START    SR    9,9                  9: the cards so far, and so the next
*                                      block of the disk.
NEXT     LA    1,READ               Read a card.
         LA    2,X'00C'
         BAL   14,DOIO
         TM    CSW+4,X'01'          Unit exception: the deck has ended.
         BC    1,END
         TM    CSW+4,X'02'          Unit check: the hopper is empty, and
         BC    1,FAILED             nobody said that this was the end.
*
         LA    1,PRINT              Print it.
         LA    2,X'00E'
         BAL   14,DOIO
         TM    CSW+4,X'03'
         BC    5,FAILED
*
         ST    9,BLOCK              Keep it.
         LA    1,WRITE
         LA    2,X'150'
         BAL   14,DOIO
         TM    CSW+4,X'03'
         BC    5,FAILED
         LA    9,1(9)
         BC    15,NEXT
*
END      ST    9,COUNT
         LPSW  DONE
FAILED   LPSW  BAD
*
* DOIO: starts the channel program at 1 on the device in 2, and returns to
* 14 when the device is done, with its status in the CSW.
*
DOIO     ST    1,CAW
         SIO   0(2)
         BC    7,FAILED
         LPSW  WAIT
IODONE   TM    CSW+4,X'06'          Device end, or unit check without it?
         BCR   5,14                 Yes: back to the caller of DOIO.
         LPSW  56                   No: go on waiting.
*
READ     CCW   X'02',CARD,X'00',80
*
PRINT    CCW   X'09',CARD,X'00',80  and to the next line.
*
* The disk is told where the program may work, then what it will do and
* where, and then gets the block: a chain of three commands.
*
WRITE    CCW   X'63',EXTENT,X'40',16
         CCW   X'43',LOCATE,X'40',8
         CCW   X'41',CARD,X'00',512
EXTENT   DC    X'00000000'          What is allowed: reads and writes.
         DC    F'0'                 The extent begins at this block,
         DC    F'0',F'999'          and its blocks are called 0 to 999.
LOCATE   DC    X'01',X'00',H'1'     Operation: write, one block,
BLOCK    DC    F'0'                 this one.
*
COUNT    DC    F'0'
CARD     DC    CL80' ',XL432'00'    A card, in a block of the disk.
*
         DS    0D
WAIT     DC    X'C002000000000000'  Wait; channels 0 and 1 may interrupt.
DONE     DC    X'0002000000000000'
BAD      DC    X'0002000000000BAD'
         END   START
