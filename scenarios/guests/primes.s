* primes.s - a program and its tiny system: the primes below 500.
*
* Two new things after hello.s. First, EC (extended control) mode, that of
* System/370: the PSW gives up the interruption code and single channel
* masks (they moved to low storage and to control register 2), and gains
* a bit that turns address translation on; here that stays off. An EC PSW:
*
*   byte 0   X'04' translation (DAT) on, X'02' I/O interruptions, X'01'
*            external interruptions
*   byte 1   key; X'08' EC mode, X'04' machine checks, X'02' WAIT, X'01'
*            PROBLEM state
*   byte 2   condition code and program mask
*   5 to 7   instruction address
*
* Second, two states. The program runs in PROBLEM state: it computes, and
* may do nothing to the machine itself. To print it asks the system with
* SUPERVISOR CALL: SVC is an interruption that the program makes on
* purpose. The system, reached through the SVC new PSW, runs in
* SUPERVISOR state, does the I/O, and goes back by loading the old PSW.
*
*   SVC 0    end of program
*   SVC 1    print the line that register 1 points to; its first byte is
*            its length
*
PRIMES   START 0
         USING PRIMES,0
*
* Low storage, as in hello.s.
*
         DC    X'0008000000000200'   0: restart new PSW - go to SYSTEM
         ORG   PRIMES+32
SVCOLD   DS    D                    32: where the caller goes on
         ORG   PRIMES+64
CSW      DS    D                    64
CAW      DS    F                    72
         ORG   PRIMES+88
         DC    X'000A000000000E58'  88: external new PSW - not expected
         DC    X'00080000',A(CALL)  96: SVC new PSW - go to CALL
         DC    X'000A000000000E68' 104: program new PSW - not expected
         DC    X'000A000000000E70' 112: machine check - not expected
         DC    X'00080000',A(IODONE) 120: I/O new PSW - go to IODONE
         ORG   PRIMES+136
SVCINFO  DS    F                   136: 0, length, 0, number of the SVC
*
*----------------------------------------------------------------------
* The system
*----------------------------------------------------------------------
         ORG   PRIMES+X'200'
SYSTEM   LPSW  USER                 Start the program, in problem state.
*
CALL     STM   0,15,SAVE            The caller's registers.
         CLI   SVCINFO+3,1
         BE    PRINT
         CLI   SVCINFO+3,0
         BE    EXIT
         LPSW  BADCALL              There is no such call.
EXIT     LPSW  DONE
*
PRINT    SR    2,2
         IC    2,0(1)               Length,
         STH   2,CCW+6
         LA    1,1(1)               and address of the text.
         ST    1,CCW                This clears the command code...
         MVI   CCW,X'09'            ...so set it again: write.
         LA    1,CCW
         ST    1,CAW
         SIO   X'009'
         BC    7,BROKEN
         LPSW  WAIT
IODONE   TM    CSW+4,X'04'          Device end?
         BC    8,STILL
         TM    CSW+4,X'03'          Unit check or exception?
         BC    5,BROKEN
         LM    0,15,SAVE
         LPSW  SVCOLD               Back to the caller.
STILL    LPSW  56                   Back to waiting.
BROKEN   LPSW  BADIO
*
         DS    0D
CCW      DC    X'0900000000000000'
USER     DC    X'00090000',A(PROGRAM)  EC, problem state
WAIT     DC    X'020A000000000000'  EC, I/O may interrupt, wait
DONE     DC    X'000A000000000000'  EC, wait for nothing: the end
BADCALL  DC    X'000A000000000BAD'
BADIO    DC    X'000A0000000010BD'
SAVE     DS    16F
*
*----------------------------------------------------------------------
* The program: the sieve of Eratosthenes. COMPOSIT has a byte a number;
* X'FF' means that it was struck out.
*
*   R5 number or multiple   R6 step   R7 limit   R8 place in the line
*   R9 columns left         R10 how many primes
*----------------------------------------------------------------------
MOST     EQU   500
PROGRAM  LA    1,TITLE
         SVC   1
         LA    6,2                  Strike out multiples of 2, 3, 4, ...
         LA    7,MOST-1
OUTER    LR    5,6                  The first multiple to strike out is
         MR    4,6                  the square of the number.
         CR    5,7
         BH    SIEVED               It is too big: we are done.
INNER    LA    4,COMPOSIT(5)
         MVI   0(4),X'FF'
         BXLE  5,6,INNER            Next: 5 + 6, while not above 7.
         LA    6,1(6)
         B     OUTER
*
* Print what is left, ten in a line.
*
SIEVED   SR    10,10
         LA    5,2
NEWLINE  MVI   LINE,C' '
         MVC   LINE+1(L'LINE-1),LINE    Spreads the blank to the right.
         LA    8,LINE
         LA    9,10
NEXT     LA    4,COMPOSIT(5)
         CLI   0(4),0
         BNE   SKIP
         CVD   5,PACKED             To decimal: 000000000000499C,
         MVC   0(4,8),PATTERN
         ED    0(4,8),PACKED+6      and to text: ' 499'.
         LA    10,1(10)
         LA    8,4(8)
         BCT   9,SKIP
         LA    1,LINELEN            The line is full.
         SVC   1
         LA    5,1(5)
         CR    5,7
         BNH   NEWLINE
         B     FINISH
SKIP     LA    5,1(5)
         CR    5,7
         BNH   NEXT
         LA    1,LINELEN            The last one, not full.
         SVC   1
FINISH   CVD   10,PACKED
         MVC   COUNT,PATTERN
         ED    COUNT,PACKED+6
         LA    1,TOTAL
         SVC   1
         SVC   0
*
TITLE    DC    AL1(L'TITLE1)
TITLE1   DC    C'PRIMES BELOW 500'
LINELEN  DC    AL1(L'LINE)
LINE     DS    CL40
TOTAL    DC    AL1(L'COUNT+L'TOTAL2)
COUNT    DS    CL4
TOTAL2   DC    C' PRIMES'
PATTERN  DC    X'40202120'          Fill, digit, digit (from here on
*                                   zeros count), digit.
PACKED   DS    D
COMPOSIT DC    (MOST)X'00'
         END   SYSTEM
