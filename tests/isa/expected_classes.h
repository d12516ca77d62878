/* The class of every instruction, written by hand from the Principles of Operation and Popek and Goldberg's
 * definitions, apart from isa/instructions.def. Read it as: what does a program see or change that is not its own? */
#ifndef TESTS_ISA_EXPECTED_CLASSES_H
#define TESTS_ISA_EXPECTED_CLASSES_H

struct expected_classes {
    const char *mnemonics;
    const char *class; /* as classify_class_name */
    int privileged, user_sensitive;
};

static const struct expected_classes expected_s370[] = {
    /* Registers, the program's own storage, condition code, program mask and instruction address are all they touch. */
    {"SPM BALR BCTR BCR BASR BAL BCT BC BAS BXH BXLE EX", "innocuous", 0, 0},
    {"LPR LNR LTR LCR NR CLR OR XR LR CR AR SR MR DR ALR SLR", "innocuous", 0, 0},
    {"STH LA STC IC LH CH AH SH MH ST N CL O X L C A S M D AL SL LM STM", "innocuous", 0, 0},
    {"SRL SLL SRA SLA SRDL SLDL SRDA SLDA", "innocuous", 0, 0},
    {"TM MVI TS NI CLI OI XI CS CDS CLM STCM ICM MVCL CLCL", "innocuous", 0, 0},
    {"MVN MVC MVZ NC CLC OC XC TR TRT ED EDMK MVCIN", "innocuous", 0, 0},
    {"CVD CVB MVO PACK UNPK SRP ZAP CP AP SP MP DP", "innocuous", 0, 0},
    /* Time and CR8 lie outside the model. */
    {"STCK MC", "innocuous", 0, 0},
    /* The way into the supervisor. DIAGNOSE has no meaning on this machine but an exception. */
    {"SVC", "traps", 0, 0},
    {"DIAG", "traps", 1, 0},
    /* PSW and control registers: mode, map, masks and key. Only those that store the old mask, or a register, show it.
     */
    {"LPSW SSM SPKA LCTL", "control", 1, 0},
    {"STNSM STOSM", "control, behaviour", 1, 0},
    {"IPK STCTL", "behaviour", 1, 0},
    /* The map. IPTE changes a real location, which may be the program's own in one place and not in another. */
    {"PTLB SPX", "control", 1, 0},
    {"IPTE", "control, behaviour", 1, 0},
    {"LRA STPX", "behaviour", 1, 0},
    /* Storage keys. RRB and RRBE turn a bit off that only the machine turns on, and show it. */
    {"SSK SSKE", "control", 1, 0},
    {"RRB RRBE", "control, behaviour", 1, 0},
    {"ISK ISKE TPROT", "behaviour", 1, 0},
    /* Clocks as settings of the machine, other than as time. */
    {"SCK SCKC SPT", "control", 1, 0},
    {"STCKC STPT", "behaviour", 1, 0},
    /* Who and what is there. */
    {"STIDP STAP STIDC TCH", "behaviour", 1, 0},
    /* They start, stop or clear something, and tell what it was doing. */
    {"SIGP SIO SIOF TIO CLRIO HIO HDV", "control, behaviour", 1, 0},
};

static const struct expected_classes expected_flawed[] = {
    /* Leaves supervisor state: mode changes. In problem state it is a branch. */
    {"RTU", "control", 0, 0},
    /* Changes the masks in supervisor state, ignores them in problem state: depends on the mode, in no other way. */
    {"LPM", "control, behaviour", 0, 0},
    /* Shows mode, masks, key and segment-table origin to whoever asks. */
    {"SPS", "behaviour", 0, 1},
};

#endif
