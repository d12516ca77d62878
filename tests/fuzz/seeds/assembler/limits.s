         MACRO
         TWICE &A,&B=(1,2,3)
         TWICE TWICE &A&AA.1
         TWICE &SYSLIST(1),B=&B(2)
         MEND
         TWICE 1
         COPY  A
         DC    4096X'00'
         DS    4096F
         ORG   *-4096
A1       EQU   A2
A2       EQU   A3+A1
A3       EQU   A1
         DC    A((((((((((((1))))))))))))
         DC    A(2147483647+1)
