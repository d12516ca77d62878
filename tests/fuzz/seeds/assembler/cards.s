C        CSECT  don't care
         DC    C'LONG STRING THAT GOES ON AND ON UNTIL COLUMN SEVENTY-OX
               NE IS REACHED HERE''S',X'01'
         MVC   A,                FIRST                                 X
               B                SECOND
         AR    1,2    remark runs on                                   X
               B                SECOND
         AR    1,2                                                      SEQ00010
         DC    C'THIS IS A LONG FREE FORM LINE WHICH GOES BEYOND COLUMN EIGHTY BY SOME CHARACTERS'  AND A REMARK
         USING C,0
A        DS    CL4
B        DC    C'ABCD'
         AR    1,2                                                     X
         AR    1,3
*----------------------------------------------------------------------*
         END
