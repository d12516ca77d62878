# scenarios/guests/structured.mac: what the macros generate is what one would write by hand, and misuse is reported.
. "$SOURCE_DIR/tests/support/shell.sh"

[ -x "$CLOUD370" ] || skip "the program was not built"
cp "$SOURCE_DIR/scenarios/guests/structured.mac" "$work/"
cd "$work"

cat >macros.s <<'EOF'
         COPY  STRUCTURED
MAIN     START 0
         USING MAIN,0
         IF    (CLC,0(2,1),=C'AB'),E
         LR    1,2
         DO    WHILE,(LTR,3,3),NZ
         IF    (C,3,=F'5'),H
         LR    1,3
         ELSE
         LR    1,4
         ENDIF
         BCTR  3,0
         ENDDO
         ELSE
         CALL  SUB
         ENDIF
         BR    14
SUB      ENTER
         LA    2,1
         LEAVE 2
         END
EOF
cat >plain.s <<'EOF'
MAIN     START 0
         USING MAIN,0
         CLC   0(2,1),=C'AB'
         BNE   ELSE1
         LR    1,2
LOOP     LTR   3,3
         BZ    LOOPEND
         C     3,=F'5'
         BNH   ELSE2
         LR    1,3
         B     END2
ELSE2    LR    1,4
END2     BCTR  3,0
         B     LOOP
LOOPEND  B     END1
ELSE1    L     15,=A(SUB)
         BALR  14,15
END1     BR    14
SUB      STM   14,12,12(13)
         LR    12,15
         USING SUB,12
         LA    15,SAVE
         ST    15,8(13)
         ST    13,4(15)
         LR    13,15
         LA    2,1
         L     13,4(13)
         ST    2,24(13)
         LM    14,12,12(13)
         BR    14
         LTORG
SAVE     DS    18F
         DROP  12
         END
EOF
expect 0 "$CLOUD370" asm macros.s -o macros.img
expect 0 "$CLOUD370" asm plain.s -o plain.img
cmp macros.img plain.img || fail "the macros generate other code than was written by hand"

cat >wrong.s <<'EOF'
         COPY  STRUCTURED
         ENDIF
         DO    WHILE,(LTR,3,3)
         ELSE
         ENDDO
         ENTER
         CALL
EOF
expect 2 "$CLOUD370" asm wrong.s -o wrong.img
for text in 'ENDIF WITHOUT IF' 'A CONDITION IS MISSING' 'ELSE WITHOUT IF' 'ENTER NEEDS A NAME' 'CALL NEEDS THE NAME' \
    'wrong.s:2:10: note: in the macro ENDIF called here'; do
    err_has "$text"
done
