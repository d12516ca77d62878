* first-trap.s - six instructions, one of them privileged.
*
* Three ordinary instructions, then STIDP, "store CPU ID": the program
* asks the machine for its name. Only a supervisor may ask that, and the
* program believes to be one. See first-trap.lua.
*
TRAP     START 0
         USING TRAP,0
         DC    X'0008000000000200'   0: restart new PSW - go to START
         ORG   TRAP+X'200'
START    LA    1,7
         LA    2,35
         AR    1,2                  7 + 35
ASK      STIDP NAME                 Who are you?
BEHIND   L     3,NAME               And that is the answer.
         LPSW  DONE
         DS    0D
NAME     DC    X'0000000000000000'  Nothing is known yet.
DONE     DC    X'000A00000000C0DE'  The end: a wait for nothing.
         END   START
