MAIN     START X'1000'
         USING (MAIN,END),3,4
         USING MAP,INNER
         L     1,FIELD
         PUSH  USING
         DROP
         POP   USING
OTHER    CSECT
         ORG   X'2000'
         USING *,0
         LA    1,OTHER
         DC    S(FIELD),V(MAIN),Y(*),AL3(OTHER-MAIN),FD'-1',FE'1',F'U5,1E3,-.5'
MAP      DSECT
FIELD    DS    F
MAIN     CSECT
INNER    DS    CL8
X        OPSYN BR
         X     14
         MNOTE 4,'A ''NOTE'
         EXTRN GONE
         WXTRN WEAK
         DC    A(WEAK)
         LTORG
         L     1,=A(*)
         L     1,=F'1'(2)
         CCW0  2,=C'X',,1
END      DS    0D
         END   INNER
