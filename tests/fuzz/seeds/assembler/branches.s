LAB      DS    F
&X       SETC  '1'
         ACTR  50
&(V&X)   SETA  (X'F' AND 6)+(1 SLL 3)-L'LAB/2*N'&X

&B       SETB  (NOT ('&SYSDATE'(1,2) LT 'AB') XOR D'LAB OR T'LAB EQ 'F')
&C       SETC  (UPPER 'a''b')(1,*).(DOUBLE '&&').A2X(BYTE(193) INDEX 'A')
.TOP     AGO   (&V1).ONE,.TWO
.ONE     AIF   (&B).TWO,(K'&C GT 30).TOP
         COPY  A
.TWO     MACRO
&L       REC   &N,&K=(1,(2,3))
         GBLC  &S(5)
&S(&N)   SETC  '&S(1)&SYSLIST(1,2)&K(2,1)','&SYSNDX&SYSECT'
         MACRO
         IN    &P
         DC    C'&P&SYSNEST'
         MEND
         AIF   (&N GE 4).X
&M       SETA  &N+1
         REC   &M
         IN    &S(&N)
.X       MEXIT
         MEND
LAB2     REC   1
         AGO   .TOP
