         GBLC  &STK(50)
         GBLA  &TOP,&LBL
         MACRO
&NAME    SAVEX &R1,&R2=15,&WHERE=(A,B,C)
         LCLA  &I
&NAME    DS    0H
.LOOP    AIF   (&I GE N'&WHERE).DONE
&I       SETA  &I+1
         DC    C'&WHERE(&I)',AL1(&I)
         AGO   .LOOP
.DONE    MNOTE *,'done'
         MEND
&N       SETA  5
&C       SETC  'ABC'.'D'(1,1).(2)'XY'
         DC    C'&C',AL1(&N)
LAB      SAVEX 1
&X(3)    SETA  7,8,9
         DC    AL1(&X(1),&X(3),&X(4),&X(5))
         AIF   ('&C' EQ 'ABCDXYXY' AND NOT (&N LT 5)).OK,              X
               (&N EQ 5).NO
         DC    X'FF'
.OK      ANOP
         END
