FOO      CSECT
	LR    1,R2
         BCTX  3,4
         L     1,NOWHERE
         L     1,FOO
         MVI   0(1),256
FOO      DS    F
         MVC   0(300,1),X
         DC    F'99999999999'
         DC    X'1G'
LR 1,2
         AIF   (1).X
         MVC   0(1),2(3,4)
         LR    1
         LR    1,2,3
         DC    C'ABC
         USING FOO
         MR    1,2
         MACRO
         M1    &A
         L     &A,UND
         DC    C'&B'
         MEND
         M1    5
         M1    5,K=3
         DC    C'A&B'
         ORG   5-6
         CLI   0(1),C'€'
         DC    C'€'
         COPY  nonexist
         END
