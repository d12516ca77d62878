* collatz.s - the longest run of 3N+1, written with structured macros.
*
* Take a number. If it is even, halve it, else take three times the number
* and one; again and again, until it is 1. Which number below 100 needs
* the most steps? The subroutine STEPS counts; the main program looks for
* the longest run and prints it.
*
* IF, DO, ENTER and so on are macros (structured.mac): the listing shows
* the instructions that they generate. Decimal digits come from a table
* that a loop of conditional assembly makes. For low storage and I/O see
* hello.s.
*
         COPY  STRUCTURED
COLLATZ  START 0
         USING COLLATZ,11
         DC    X'0000000000000200'   0: restart new PSW - go to START
         ORG   COLLATZ+64
CSW      DS    D
CAW      DS    F
         ORG   COLLATZ+88
         DC    X'0002000000000E58'  88: external new PSW
         DC    X'0002000000000E60'  96: supervisor-call new PSW
         DC    X'0002000000000E68' 104: program new PSW
         DC    X'0002000000000E70' 112: machine-check new PSW
         DC    A(0,IODONE)         120: I/O new PSW - go to IODONE
*
         ORG   COLLATZ+X'200'
START    SR    11,11
         LA    13,MYSAVE
         SR    3,3                 The longest run so far,
         SR    4,4                 and where it began.
         LA    2,1
         DO    WHILE,(C,2,=F'100'),L
         LR    1,2
         CALL  STEPS
         IF    (CR,1,3),H
         LR    3,1
         LR    4,2
         ENDIF
         LA    2,1(2)
         ENDDO
         SLL   3,1                 Two digits an entry.
         SLL   4,1
         LA    5,DIGITS(3)
         MVC   COUNT+1(2),0(5)
         IF    (C,3,=F'200'),NL    From 100 steps on: a digit more.
         S     5,=F'200'
         MVC   COUNT+1(2),0(5)
         MVI   COUNT,C'1'
         ENDIF
         LA    5,DIGITS(4)
         MVC   WHERE,0(5)
*
         LA    1,CCW
         ST    1,CAW
         SIO   X'009'
         BC    7,FAILED
         LPSW  WAIT
IODONE   TM    CSW+4,X'04'         Device end?
         BC    8,STILL
         LPSW  DONE
STILL    LPSW  56
FAILED   LPSW  BAD
*
CCW      CCW   X'09',LINE,X'00',L'LINE
LINE     DS    0CL32
WHERE    DC    C'  '
         DC    C' TAKES THE MOST STEPS: '
COUNT    DC    CL7'     '
         LTORG
MYSAVE   DS    18F
WAIT     DS    0D
         DC    X'8002000000000000'
DONE     DC    X'0002000000000000'
BAD      DC    X'0002000000000BAD'
*
* 00 to 99, two characters each; 100 steps and more wrap around once.
*
&I       SETA  0
DIGITS   DS    0CL2
.DIGIT   ANOP
&TWO     SETC  '0&I'
&TWO     SETC  '&TWO'(K'&TWO-1,2)
         DC    C'&TWO'
&I       SETA  &I+1
         AIF   (&I LT 100).DIGIT
         DS    0H
*
* STEPS: how many steps it takes from the number in register 1 to 1.
*
STEPS    ENTER
         SR    3,3
         DO    WHILE,(C,1,=F'1'),NE
         LR    2,1
         N     2,=F'1'
         IF    (LTR,2,2),Z
         SRL   1,1
         ELSE
         LR    0,1
         SLL   1,1
         AR    1,0
         A     1,=F'1'
         ENDIF
         LA    3,1(3)
         ENDDO
         LEAVE 3
         END   START
