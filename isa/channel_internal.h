/* What the two files of channels share: channel_program.c executes CCWs, channel.c keeps what comes of them. */
#ifndef ISA_CHANNEL_INTERNAL_H
#define ISA_CHANNEL_INTERNAL_H

#include "isa/channel.h"

enum {
    CHANNEL_ADDRESS_MASK = 0xFFFFFF,
    CHAINED_BYTES_MOST = 1 << 20, /* in one data chain */
    UNIT_STATUS_GOOD = UNIT_CHANNEL_END | UNIT_DEVICE_END,
};

struct ccw {
    uint8_t code, flags;
    uint16_t count;
    uint32_t address;
};

/* A channel program in execution. */
struct program {
    unsigned key;
    uint32_t next;     /* where the next CCW is */
    uint32_t behind;   /* CSW bits 8-31: 8 behind the last CCW used */
    struct ccw ccw;    /* the current one; in a data chain its code stays that of the first */
    uint16_t residual; /* of the last CCW that moved data */
    uint8_t unit_status, channel_status;
    unsigned accesses;
    bool pci;
    uint32_t pci_behind;
    sim_time free_at; /* when the device has done what it was told so far */
    sim_time alone;   /* how much of that, at its end, the last command leaves to the device alone */
    sim_time burst;   /* and for how long before that the device holds the channel */
    bool asked;       /* a device has been given a command */
    bool initial;     /* the last command was ended by the status with which the device answered it */
    bool committed;   /* the subchannel knows of this program */
    bool chained;     /* the current command is not the first; `previous` is the code of the one before */
    uint8_t previous;
};

/* Something that the CPU is to be interrupted for. */
struct condition {
    bool pending;
    uint64_t order; /* of arrival in the set */
    uint64_t csw;
};
enum condition_kind {
    CONDITION_PCI,
    CONDITION_ENDING,
    CONDITION_DEVICE, /* device end, apart from channel end */
    CONDITION_ATTENTION,
    CONDITION_KINDS
};

enum activity {
    ACTIVITY_NONE,
    ACTIVITY_ENDING,  /* the program has run; its ending status comes by event */
    ACTIVITY_WAITING, /* for the device, inside `program` */
    ACTIVITY_READY,   /* the device is ready: to be continued when the host may be called */
    ACTIVITY_ALONE,   /* the subchannel is free, the device still moves: its device end comes by event */
    ACTIVITY_OUTSIDE, /* its program is run by somebody else */
};

struct subchannel {
    struct channel_set *set;
    struct subchannel *next; /* in order of attachment */
    uint16_t address;
    struct device *device;
    enum activity activity;
    struct timeline_event ending;
    uint64_t ending_csw;             /* what the event will present; afterwards the device's last CSW */
    sim_time device_end;             /* when the device will be done, if it is to say so apart; 0: it is not */
    sim_time burst_begin, burst_end; /* when the device holds the channel */
    struct condition conditions[CONDITION_KINDS];
    struct program program; /* while waiting or ready */
};

struct channel_set {
    struct channel_host host;
    struct subchannel *subchannels;
    uint64_t arrivals;
    unsigned pending, ready; /* how many conditions are pending, and programs to be continued */
    uint8_t *data;           /* of the command being executed; CHAINED_BYTES_MOST */
};

static inline uint64_t csw_of(const struct program *p, uint32_t behind, uint8_t unit_status, uint8_t channel_status,
                              uint16_t residual) {
    return (uint64_t)p->key << 60 | (uint64_t)behind << 32 | (uint64_t)unit_status << 24 |
           (uint64_t)channel_status << 16 | residual;
}

/* Executes a program, from its current CCW when `resumed`, otherwise from p->next, until it ends or has to wait for its
 * device. Everything about it is in *p and in the device: the subchannel is not touched, and the caller may be dropped
 * inside. */
enum program_end { PROGRAM_ENDED, PROGRAM_WAITS };
enum program_end channel_program_run(const struct subchannel *u, struct program *p, bool resumed);

#endif
