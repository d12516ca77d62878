/* A program that shows whether shadow tables follow the guest's own. */
#ifndef TESTS_SUPPORT_STALE_H
#define TESTS_SUPPORT_STALE_H

/* Reads through entries that it has changed, with all that the architecture asks for: PTLB, another space, IPTE. */
// clang-format off
static const char stale[] =
    "         DC    X'0008000000000200'      RESTART NEW PSW\n"
    "         ORG   X'68'\n"
    "         DC    X'000A000000000ABC'      PROGRAM NEW PSW: THE PAGE IS INVALID NOW\n"
    "         ORG   X'200'\n"
    "         BALR  12,0\n"
    "         USING *,12\n"
    "         L     2,=A(X'8000')\n"
    "         L     3,=A(X'9000')\n"
    "         L     4,=A(X'A000')\n"
    "         L     5,=A(X'5000')            THE FIRST PAGE TABLE\n"
    "         MVI   0(2),X'11'\n"
    "         MVI   0(3),X'22'\n"
    "         MVI   0(4),X'33'\n"
    "         LCTL  0,1,=X'0080000000004000'\n"
    "         STOSM SCRATCH,X'04'\n"
    "         IC    6,0(,2)\n"
    "         MVC   16(2,5),=X'0090'         PAGE 8 IS FRAME 9\n"
    "         PTLB\n"
    "         IC    7,0(,2)\n"
    "         LCTL  1,1,=X'00004400'         ANOTHER SPACE, IN WHICH IT IS FRAME A\n"
    "         IC    8,0(,2)\n"
    "         LCTL  1,1,=X'00004000'\n"
    "         IC    9,0(,2)\n"
    "         IPTE  5,2\n"
    "         IC    10,0(,2)                 INTERRUPTED\n"
    "         LPSW  =X'000A000000000BAD'\n"
    "SCRATCH  DS    X\n"
    "         LTORG\n"
    "         ORG   X'4000'\n"
    "         DC    X'F0005000',15X'00000001'\n"
    "         ORG   X'4400'\n"
    "         DC    X'F0005800',15X'00000001'\n"
    "         ORG   X'5000'\n"
    "         DC    X'0000001000200030004000500060007000800090',6X'0008'\n"
    "         ORG   X'5800'\n"
    "         DC    X'0000001000200030004000500060007000A00090',6X'0008'\n"
    "         END\n";
// clang-format on

#endif
