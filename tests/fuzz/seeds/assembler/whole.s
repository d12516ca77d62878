*        A sample
         TITLE 'SAMPLE'
         PRINT NOGEN,DATA
         MACRO
&LABEL   MOVE  &TO,&FROM,&LEN=4
&LABEL   MVC   &TO.(&LEN),&FROM      move
L&SYSNDX DS    0H
         MEND
SAMPLE   START 0
R1       EQU   1
R12      EQU   12
PSW      DC    X'00080000',A(BEGIN)
         ORG   SAMPLE+X'200'
BEGIN    BALR  R12,0
         USING *,R12
         L     R1,=F'-5'
         A     R1,=A(DATA)
HERE     MOVE  BUF,DATA,LEN=8
         LM    14,R12,12(13)
         MVC   BUF,=CL8'ABC'
         AP    P1,=P'12'
         CLI   BUF,C''''
         BNE   HERE
         IPK   remarks aren't operands
         USING AREA,15
         ST    R1,FIELD
         DC    C'LONG STRING THAT GOES ON AND ON UNTIL COLUMN SEVENTY-OX
               NE IS REACHED HERE',X'1,23',B'101'
         DC    A(1),                       first                       X
               A(HERE)
         CNOP  2,4
         CCW   2,BUF,X'20',80
         LTORG
TAB      DC    256AL1(*-TAB)
BUF      DS    CL8
DATA     DC    F'1,2',H'3',FL3'-1',P'-123',Z'-12',C'ä&&',Y(DATA),S(BUF),S(4(5))
P1       DC    PL3'5'
X        EQU   Y+L'DATA
Y        EQU   3
AREA     DSECT
         DS    F
FIELD    DC    F'0'
         END   BEGIN
