/* The texts that no other table of the product has: one row a topic.
 *
 * Sources in quotation marks are sections of IBM System/370 Principles of Operation. */
#include "ui/tui/explain.h"

// clang-format off
const struct explain_text explain_texts[] = {
    /* ---- The program-status word ---- */
    {"psw", "PSW: program-status word",
     "64 bits that say what the CPU is doing: where the next instruction is, in which state it is executed, and which "
     "interruptions are let in. An interruption stores it as the old PSW of its class and loads that class's new PSW; "
     "LPSW loads one from storage. That exchange is the only way from problem state to supervisor state.",
     "\"Program-Status Word\""},
    {"psw:old", "old PSW",
     "The PSW as an interruption found it, stored in page 0 at the place of its class. Loading it goes back to where the "
     "program was.",
     "\"Interruption Action\""},
    {"psw:new", "new PSW",
     "The PSW that an interruption of this class loads, from page 0: the supervisor put it there. Its instruction address "
     "is the handler.",
     "\"Interruption Action\""},
    {"psw:mode", "EC or BC mode (PSW bit 12)",
     "1 is extended control: bit 5 turns translation on, interruption codes are stored at 132 and up, and control "
     "registers have the finer masks. 0 is basic control, the format of System/360: channel masks in bits 0-6, the "
     "interruption code in the old PSW itself, and no translation.",
     "\"Program-Status Word\""},
    {"psw:problem", "problem or supervisor state (PSW bit 15)",
     "1: problem state, in which every privileged instruction ends with a privileged-operation exception. A virtual "
     "machine monitor runs its guest in it always, whatever the guest's own PSW says: so what the guest may not do by "
     "itself arrives at the monitor. 0: supervisor state.",
     "\"Problem State\""},
    {"psw:wait", "wait (PSW bit 14)",
     "1: no instruction is executed until an interruption that the masks let in. A wait with all masks off (a disabled "
     "wait) can end in no way: programs end so, and the instruction address says how it went.",
     "\"Wait State\""},
    {"psw:machine_check", "machine-check mask (PSW bit 13)",
     "1: machine-check interruptions are let in, as far as control register 14 says.", "\"Machine-Check Handling\""},
    {"psw:dat", "DAT: dynamic address translation (PSW bit 5, EC mode)",
     "1: addresses of instructions and operands are virtual, and go through segment table and page table. 0: they are "
     "real. Guests of a monitor always run with it on, under shadow tables, also where they believe it is off.",
     "\"Dynamic Address Translation\""},
    {"psw:key", "PSW key (bits 8-11)",
     "A store is let through when the key is 0 or equal to the access-control bits of the block's storage key; a fetch "
     "also when the block is not fetch-protected.",
     "\"Key-Controlled Protection\""},
    {"psw:cc", "condition code (EC bits 18-19, BC bits 34-35)",
     "What the last instruction that sets it has found, 0 to 3: of comparisons 0 equal, 1 low, 2 high; of arithmetic 0 "
     "zero, 1 negative, 2 positive, 3 overflow. BC and BCR branch on it by a mask: 8 selects code 0, 4 code 1, 2 code "
     "2, 1 code 3.",
     "\"Condition Code\""},
    {"psw:io", "I/O mask (EC bit 6; BC bits 0-6)",
     "EC: 1 lets in I/O interruptions of the channels whose bit in control register 2 is 1. BC: one bit each for "
     "channels 0 to 5, and bit 6 for all others.",
     "\"Input/Output Interruption\""},
    {"psw:external", "external mask (bit 7)",
     "1 lets in external interruptions (timers, the interrupt key, signals of other CPUs) whose own bit in control "
     "register 0 is 1.",
     "\"External Interruption\""},
    {"psw:per", "PER mask (bit 1, EC mode)",
     "Program-event recording. This machine accepts the bit and records nothing.", "\"Program-Event Recording\""},
    {"psw:program_mask", "program mask (EC bits 20-23, BC bits 36-39)",
     "1 makes a program interruption of what otherwise is only a condition code: 8 fixed-point overflow, 4 decimal "
     "overflow; 2 and 1 are of floating point, which this machine does not have.",
     "\"Program Mask\""},
    {"psw:system_mask", "system mask (bits 0-7)",
     "EC: 40 PER, 04 translation (DAT), 02 I/O, 01 external; the other bits must be 0. BC: channels 0-5 in 80 to 04, "
     "02 the other channels, 01 external. SSM, STNSM and STOSM change it.",
     "\"Program-Status Word\""},
    {"psw:ia", "instruction address (bits 40-63)",
     "Where the next instruction is: virtual when DAT is on, otherwise real. In an old PSW it is the instruction behind "
     "the one that was interrupted, or, after a page or segment fault, that instruction itself, to be tried again.",
     "\"Program-Status Word\""},
    {"psw:ilc", "instruction-length code",
     "How long the interrupted instruction was: 2, 4 or 6 bytes. EC mode stores it at 137 (SVC) or 141 (program), BC "
     "mode in bits 32-33 of the old PSW. The old address minus it is the instruction.",
     "\"Instruction-Length Code\""},
    {"psw:must_be_zero", "bits that must be zero (EC mode)",
     "EC bits 0, 2-4, 16, 17 and 24-39. A PSW with one of them on is a specification exception as soon as it is current.",
     "\"Early Exception Recognition\""},

    /* ---- Interruptions ---- */
    {"interruption:restart", "restart interruption",
     "The operator's restart key, or a machine that is started: old PSW to 8, new PSW from 0. No mask holds it back.",
     "\"Restart Interruption\""},
    {"interruption:external", "external interruption",
     "Timers, the interrupt key, signals of other CPUs. Old PSW to 18 (hexadecimal), new PSW from 58, code at 86. Let "
     "in by PSW bit 7 and a bit of control register 0.",
     "\"External Interruption\""},
    {"interruption:svc", "supervisor-call interruption",
     "The instruction SVC. Old PSW to 20 (hexadecimal), new PSW from 60, number at 8B. Nothing masks it.",
     "\"Supervisor-Call Interruption\""},
    {"interruption:program", "program interruption",
     "An instruction could not be done as it was written. Old PSW to 28 (hexadecimal), new PSW from 68, length at 8D, "
     "code at 8E, translation-exception address at 90.",
     "\"Program Interruption\""},
    {"interruption:machine_check", "machine-check interruption",
     "The machine reports damage of its own. Old PSW to 30 (hexadecimal), new PSW from 70, code at E8.",
     "\"Machine-Check Handling\""},
    {"interruption:io", "I/O interruption",
     "A device presents its status. Old PSW to 38 (hexadecimal), new PSW from 78, channel-status word at 40, address of "
     "the device at BA. Let in by PSW bit 6 and control register 2.",
     "\"Input/Output Interruption\""},
    {"svc", "SVC number",
     "The byte behind the operation code of SVC, stored at 8B (EC mode) or in the old PSW (BC mode). What a number means "
     "is the supervisor's affair.",
     "\"Supervisor-Call Interruption\""},

    {"io", "I/O address", "Of the device that interrupts: channel and device, stored at BA (EC mode) or in the old PSW (BC mode).", "\"Input/Output Interruption\""},
    {"restart", "restart", "A restart has no code.", "\"Restart Interruption\""},
    {"machine_check", "machine check", "What happened is stored at E8.", "\"Machine-Check Handling\""},

    {"program:0001", "operation exception", "The operation code is not assigned on this machine. Suppressed.", "\"Program Interruption\""},
    {"program:0002", "privileged-operation exception",
     "A privileged instruction in problem state. Suppressed: nothing was done. For a monitor this is the trap of traps: "
     "its guest, which runs in problem state, wanted to do what only the monitor may do for it.",
     "\"Program Interruption\""},
    {"program:0003", "execute exception", "The target of EXECUTE is another EXECUTE. Suppressed.", "\"Program Interruption\""},
    {"program:0004", "protection exception",
     "The storage key, low-address protection (CR0 bit 3), a protected segment, or a protected page refused the access.",
     "\"Protection\""},
    {"program:0005", "addressing exception", "An address outside of the storage that is installed.", "\"Program Interruption\""},
    {"program:0006", "specification exception",
     "An odd instruction address, a boundary or register pair that the instruction does not take, or a PSW with bits on "
     "that must be zero.", "\"Program Interruption\""},
    {"program:0007", "data exception", "Digits or signs that no decimal number has.", "\"Program Interruption\""},
    {"program:0008", "fixed-point overflow", "The result has no room, and program-mask bit 8 is on. The instruction is completed.", "\"Program Interruption\""},
    {"program:0009", "fixed-point divide exception", "A quotient that has no room, division by 0 among them.", "\"Program Interruption\""},
    {"program:000A", "decimal overflow", "The result has no room, and program-mask bit 4 is on. The instruction is completed.", "\"Program Interruption\""},
    {"program:000B", "decimal divide exception", "A decimal quotient that has no room. Suppressed.", "\"Program Interruption\""},
    {"program:000C", "exponent overflow", "Of floating point, which this machine does not have.", "\"Program Interruption\""},
    {"program:000D", "exponent underflow", "Of floating point, which this machine does not have.", "\"Program Interruption\""},
    {"program:000E", "significance", "Of floating point, which this machine does not have.", "\"Program Interruption\""},
    {"program:000F", "floating-point divide exception", "Of floating point, which this machine does not have.", "\"Program Interruption\""},
    {"program:0010", "segment-translation exception",
     "The segment-table entry is marked invalid, or lies beyond the table's end. Nullified: the old PSW points to the "
     "instruction itself, and the address that failed is at 90. The supervisor makes the segment there and tries again.",
     "\"Dynamic Address Translation\""},
    {"program:0011", "page-translation exception",
     "The page-table entry is marked invalid, or lies beyond the table's end: a page fault. Nullified: the old PSW "
     "points to the instruction itself, and the address that failed is at 90. The supervisor brings the page and tries "
     "again.",
     "\"Dynamic Address Translation\""},
    {"program:0012", "translation-specification exception",
     "Control register 0 names no format of tables, or a table entry has bits on that must be zero. Suppressed.",
     "\"Dynamic Address Translation\""},
    {"program:0013", "special-operation exception", "SSM while CR0 bit 1 (SSM suppression) is on. Suppressed.", "\"Program Interruption\""},
    {"program:0040", "monitor event", "MONITOR CALL of a class whose bit in control register 8 is on.", "\"Monitoring\""},
    {"program:0080", "PER event", "Program-event recording, OR-ed to another code. This machine records nothing.", "\"Program-Event Recording\""},

    {"external:0040", "interrupt key", "The operator pressed it. CR0 bit 25 lets it in.", "\"External Interruption\""},
    {"external:0080", "interval timer", "The word at real 50 (hexadecimal) went from not negative to negative. CR0 bit 24 lets it in.", "\"Interval Timer\""},
    {"external:1004", "clock comparator", "The TOD clock has passed the clock comparator; stays until that is no more so. CR0 bit 20.", "\"Clock Comparator\""},
    {"external:1005", "CPU timer", "The CPU timer is negative; stays as long. CR0 bit 21 lets it in.", "\"CPU Timer\""},
    {"external:1200", "malfunction alert", "Another CPU has check-stopped; its address is at 84. CR0 bit 16.", "\"External Interruption\""},
    {"external:1201", "emergency signal", "Another CPU, whose address is at 84, executed SIGP. CR0 bit 17.", "\"External Interruption\""},
    {"external:1202", "external call", "Another CPU, whose address is at 84, executed SIGP. CR0 bit 18.", "\"External Interruption\""},

    /* ---- I/O status ---- */
    {"io:attention", "attention (unit status 80)", "The operator wants something: on a typewriter, a line was entered.", "\"Unit-Status Conditions\""},
    {"io:status_modifier", "status modifier (unit status 40)", "With device end: the next command of the chain is skipped.", "\"Unit-Status Conditions\""},
    {"io:control_unit_end", "control-unit end (unit status 20)", "The control unit is free again after it was busy.", "\"Unit-Status Conditions\""},
    {"io:busy", "busy (unit status 10)", "The device, or its control unit, works on something else.", "\"Unit-Status Conditions\""},
    {"io:channel_end", "channel end (unit status 08)", "All data has passed: the channel is not needed any more.", "\"Unit-Status Conditions\""},
    {"io:device_end", "device end (unit status 04)", "The device has done its work.", "\"Unit-Status Conditions\""},
    {"io:unit_check", "unit check (unit status 02)", "Something went wrong in the device: the command SENSE tells what.", "\"Unit-Status Conditions\""},
    {"io:unit_exception", "unit exception (unit status 01)", "Something that is not usual: the end of the cards, for example.", "\"Unit-Status Conditions\""},
    {"io:pci", "program-controlled interruption (channel status 80)", "The channel has come to a CCW with the PCI flag.", "\"Channel-Status Conditions\""},
    {"io:incorrect_length", "incorrect length (channel status 40)", "The device had more, or fewer, bytes than the CCW's count.", "\"Channel-Status Conditions\""},
    {"io:program_check", "program check (channel status 20)", "The channel program is not one: a bad address, count or command.", "\"Channel-Status Conditions\""},
    {"io:protection_check", "protection check (channel status 10)", "The key of the channel program refused its access to storage.", "\"Channel-Status Conditions\""},
    {"io:channel_data_check", "channel data check (channel status 08)", "Data came damaged. This machine never reports it.", "\"Channel-Status Conditions\""},
    {"io:channel_control_check", "channel control check (channel status 04)", "The channel itself failed. This machine never reports it.", "\"Channel-Status Conditions\""},
    {"io:interface_control_check", "interface control check (channel status 02)", "The line to the control unit failed. This machine never reports it.", "\"Channel-Status Conditions\""},
    {"io:chaining_check", "chaining check (channel status 01)", "Data came faster than the chain of CCWs. This machine never reports it.", "\"Channel-Status Conditions\""},
    {"io:csw", "CSW: channel-status word (real 40)", "Key, address behind the last CCW, unit status, channel status, and how many bytes of its count were left.", "\"Channel-Status Word\""},
    {"io:caw", "CAW: channel-address word (real 48)", "Key and address of the channel program that SIO starts.", "\"Channel-Address Word\""},
    {"io:ccw", "CCW: channel-command word", "Command, address of data, flags (80 chain data, 40 chain command, 20 suppress length, 10 skip, 08 PCI, 04 indirect), count.", "\"Channel-Command Word\""},

    /* ---- Translation ---- */
    {"walk", "a walk through the tables",
     "A virtual address has three parts. The segment index selects an entry of the segment table, which says where a "
     "page table is; the page index selects an entry of that, which says where the page frame is; the byte index is the "
     "place in the frame. The first entry that is invalid, or lies beyond its table, ends the walk with an exception.",
     "\"Dynamic Address Translation\""},
    {"walk:segment_index", "segment index", "Bits 8-15 of a virtual address (1 MB segments: 8-11): which entry of the segment table.", "\"Dynamic Address Translation\""},
    {"walk:page_index", "page index", "The bits behind the segment index: which entry of the page table.", "\"Dynamic Address Translation\""},
    {"walk:byte_index", "byte index", "The last 12 bits (2 KB pages: 11): the place in the page. Translation leaves them alone.", "\"Dynamic Address Translation\""},
    {"walk:frame", "page frame", "Where the page is in real storage: the address of its first byte.", "\"Dynamic Address Translation\""},
    {"walk:reached", "reached", "Where the address ends up, in the storage of the machine that is named, with that block's storage key.", "\"Dynamic Address Translation\""},
    {"ste", "segment-table entry",
     "A word: bits 0-3 the length of the page table, in sixteenths, minus 1; 8-28 its address; 29 segment protection; 30 "
     "common segment; 31 invalid. Bits 4-7 must be zero.",
     "\"Segment-Table Entries\""},
    {"ste:address", "address of the segment-table entry", "The origin in control register 1, plus 4 times the segment index. It is real.", "\"Dynamic Address Translation\""},
    {"ste:entry", "segment-table entry",
     "F0001040, for example: length F (all of a page table), page table at 001040, valid. The last digit has the bits: 1 "
     "invalid, 2 common, 4 protected.",
     "\"Segment-Table Entries\""},
    {"ste:valid", "segment valid (entry bit 31 is 0)", "The page table is there, and the walk goes on to it.", "\"Segment-Table Entries\""},
    {"ste:length", "page-table length (entry bits 0-3)", "How long the page table is, in sixteenths of the longest, minus 1: F is all of it.", "\"Segment-Table Entries\""},
    {"ste:origin", "page-table origin (entry bits 8-28)", "Real address of the page table, a multiple of 8.", "\"Segment-Table Entries\""},
    {"ste:protected", "segment protection (entry bit 29)", "1: stores into the segment are protection exceptions, whatever the key.", "\"Segment-Table Entries\""},
    {"ste:common", "common segment (entry bit 30)", "1: TLB entries made from it count in every address space of this format.", "\"Segment-Table Entries\""},
    {"ste:invalid", "segment invalid (entry bit 31)", "1: using the segment is a segment-translation exception. The rest of the entry is then not looked at.", "\"Segment-Table Entries\""},
    {"ste:reserved", "entry bits 4-7", "Must be zero: otherwise a translation-specification exception.", "\"Segment-Table Entries\""},
    {"pte", "page-table entry",
     "A halfword. 4 KB pages: bits 0-11 the frame, 12 invalid, 13 must be zero, 14 page protection where CR0 bit 28 is on "
     "and otherwise zero. 2 KB pages: 0-12 the frame, 13 invalid.",
     "\"Page-Table Entries\""},
    {"pte:address", "address of the page-table entry", "The origin in the segment-table entry, plus 2 times the page index. It is real.", "\"Dynamic Address Translation\""},
    {"pte:entry", "page-table entry",
     "0080, for example, with 4 KB pages: frame 008000, valid. The last digit has the bits: 8 invalid, 2 protected.",
     "\"Page-Table Entries\""},
    {"pte:valid", "page valid (entry bit 12 is 0)", "The page is in storage; the walk ends at its frame.", "\"Page-Table Entries\""},
    {"pte:frame", "page-frame address (entry bits 0-11, 2 KB pages 0-12)", "The leftmost bits of the frame's real address.", "\"Page-Table Entries\""},
    {"pte:invalid", "page invalid (entry bit 12, 2 KB pages 13)", "1: using the page is a page-translation exception, a page fault.", "\"Page-Table Entries\""},
    {"pte:protected", "page protection (entry bit 14, 4 KB pages)",
     "1, with CR0 bit 28: stores into the page are protection exceptions. A facility of this bare machine, for monitors.",
     "docs/architecture.md"},
    {"pte:reserved", "entry bits that must be zero", "If one is on, the walk ends with a translation-specification exception.", "\"Page-Table Entries\""},
    {"shadow", "shadow table",
     "The tables under which a guest really runs: the product of the guest's own tables and the monitor's map of its "
     "storage. They begin empty, and are filled when a page is missing. The guest never sees them.",
     "docs/shadow-paging.md"},
    {"shadow:entry", "shadow entry",
     "The entry that the CPU really walks while the guest runs. It must lead where the guest's own entry and the map of its "
     "storage lead together; it need not be there.",
     "docs/shadow-paging.md"},
    {"shadow:missing", "no shadow entry",
     "Not made yet, or purged. The next use traps: the monitor walks the guest's tables, and fills it, or gives the guest "
     "its own fault.",
     "docs/shadow-paging.md"},
    {"shadow:tables", "shadow tables",
     "The segment table in the real control register 1 while the guest runs: made by the monitor, in its own storage.",
     "docs/shadow-paging.md"},
    {"tlb:entry", "what the TLB says",
     "The frame that the CPU would take without a walk, or that it has none for this page.",
     "\"Translation-Lookaside Buffer\""},
    {"tlb", "TLB: translation-lookaside buffer",
     "Remembers translations, so that most references need no walk: 64 sets of two entries, the page number's low bits "
     "choose the set, the one not used last gives way. An entry counts only under the control registers 0 and 1 it was "
     "made with. Changing a table does not change it: PTLB and IPTE do.",
     "\"Translation-Lookaside Buffer\""},
    {"tlb:set", "set of the TLB", "64 of two entries each; a page can stand only in that of the low 6 bits of its number.", "\"Translation-Lookaside Buffer\""},
    {"tlb:space", "address space of an entry",
     "The segment table (control register 1) and format (control register 0) under which the entry was made. Others do "
     "not see it, but for a common segment. A guest's space here is its shadow table's.",
     "\"Translation-Lookaside Buffer\""},
    {"tlb:hit", "hit", "The TLB has the page, in the present space: no walk, no cycles.", "\"Translation-Lookaside Buffer\""},
    {"tlb:miss", "miss", "The TLB does not have the page: the next reference walks the tables, which the cost model charges.", "docs/cost-models.md"},
    {"tlb:stale", "stale entry",
     "The TLB leads somewhere else than the tables do now: a table was changed and nothing purged. The machine goes on "
     "using it, as the architecture allows.",
     "\"Translation-Lookaside Buffer\""},

    /* ---- Registers, keys, clocks ---- */
    {"register", "general register",
     "32 bits, for numbers and addresses; of an address the low 24 bits count. Register 0 as a base or index means: none.",
     "\"General Registers\""},
    {"register:0", "general register 0", "As a base or an index it stands for no register: 0 is added.", "\"Address Generation\""},
    {"register:1", "general register 1", "By convention the address of a list of parameters. TRT and EDMK put an address here.", ""},
    {"register:2", "general register 2", "TRT puts its function byte into bits 24-31.", ""},
    {"register:13", "general register 13", "By convention the address of the caller's save area, 18 words.", ""},
    {"register:14", "general register 14", "By convention the return address: BR 14 goes back.", ""},
    {"register:15", "general register 15", "By convention the address of the routine that is called, and its return code.", ""},
    {"control", "control register", "Loaded by LCTL, stored by STCTL, both privileged. This one controls nothing on this machine.", "\"Control Registers\""},
    {"control:0", "control register 0",
     "Bit 1 SSM suppression (40000000), 3 low-address protection (10000000), 8-12 format of the translation tables "
     "(00800000: 4 KB pages, 64 KB segments), and masks of external interruptions: 16 malfunction alert (8000), 17 "
     "emergency signal, 18 external call, 20 clock comparator (800), 21 CPU timer (400), 24 interval timer (80), 25 "
     "interrupt key (40), 26 external signals (20). Of this bare machine, for monitors: 28 page protection (8), 30 STCK "
     "traps (2).",
     "\"Control Registers\""},
    {"control:1", "control register 1: segment table", "Bits 0-7 its length, in units of 64 bytes, minus 1; 8-25 its real address. Another value is another address space.", "\"Control Registers\""},
    {"control:2", "control register 2: channel masks", "Bit n lets in interruptions of channel n, where the PSW's I/O mask is on.", "\"Control Registers\""},
    {"control:8", "control register 8: monitor masks", "Bits 16-31: the classes of MONITOR CALL that interrupt.", "\"Monitoring\""},
    {"control:9", "control register 9: PER events", "Which events program-event recording looks for; this machine records nothing.", "\"Program-Event Recording\""},
    {"control:10", "control register 10: PER begin", "First address that program-event recording looks at; this machine records nothing.", "\"Program-Event Recording\""},
    {"control:11", "control register 11: PER end", "Last address that program-event recording looks at; this machine records nothing.", "\"Program-Event Recording\""},
    {"control:14", "control register 14: machine checks", "Which machine checks are let in, and how they are logged.", "\"Machine-Check Handling\""},
    {"control:15", "control register 15: logout", "Where the machine-check extended logout goes.", "\"Machine-Check Handling\""},
    {"prefix", "prefix",
     "Real addresses 0 to FFF and the 4 KB at this absolute address are exchanged, so that each CPU has a page 0 of its "
     "own. 0: nothing is.",
     "\"Prefixing\""},
    {"key", "storage key",
     "Seven bits for every 2 KB of storage: access control, fetch protection, reference, change. Set by SSK, shown by ISK.",
     "\"Storage Key\""},
    {"storage:key", "key of this block",
     "Access-control bits 0 to 15; fetch-protected; referenced: something has used the block; changed: something has stored "
     "into it.",
     "\"Storage Key\""},
    {"key:access", "access-control bits", "Compared with the PSW key: a store is let through when they are equal, or the PSW key is 0.", "\"Key-Controlled Protection\""},
    {"key:fetch", "fetch-protection bit", "1: fetches are compared, too; 0: only stores are.", "\"Key-Controlled Protection\""},
    {"key:reference", "reference bit", "Turned on by every access to the block, by CPU or channel; RRB turns it off.", "\"Reference Recording\""},
    {"key:change", "change bit", "Turned on by every store into the block.", "\"Change Recording\""},
    {"clock:tod", "TOD clock", "64 bits; bit 51 is a microsecond. STCK stores it, SCK sets it.", "\"Time-of-Day Clock\""},
    {"clock:comparator", "clock comparator", "When the TOD clock has passed it, external interruption 1004 is due.", "\"Clock Comparator\""},
    {"clock:cpu_timer", "CPU timer", "Counts down, bit 51 a microsecond; negative, external interruption 1005 is due.", "\"CPU Timer\""},
    {"clock:interval_timer", "interval timer", "The word at real 50 (hexadecimal), counted down in storage; external interruption 0080 when it becomes negative.", "\"Interval Timer\""},
    {"low", "low storage",
     "Real page 0: new PSWs at 0, 58 to 78, old PSWs at 8, 18 to 38, CSW at 40, CAW at 48, interval timer at 50, and, in "
     "EC mode, the codes of interruptions from 84 on.",
     "\"Assigned Storage Locations\""},
    {"low:old", "old PSW", "The PSW that was interrupted, as the interruption stored it: loading it goes back.", "\"Interruption Action\""},
    {"low:new", "new PSW", "The PSW that an interruption of this class loads: the supervisor put it there.", "\"Interruption Action\""},
    {"low:code", "interruption code", "What the interruption was, stored by it in page 0 (EC mode) or in the old PSW (BC mode).", "\"Interruption Action\""},

    /* ---- Levels: machines and monitors ---- */
    {"nest:virtual", "what the machine believes",
     "The virtual machine's own PSW: its program has loaded it, and cannot tell that it is not real. Its monitor keeps "
     "it, and shows the guest nothing else.",
     "docs/nesting.md"},
    {"nest:real", "what the CPU has",
     "The bare CPU's PSW while this machine runs. Under a monitor it is problem state with DAT on, always: problem "
     "state makes privileged instructions trap, DAT gives the guest its part of storage.",
     "docs/nesting.md"},
    {"nest:runs", "who runs", "The innermost machine that has been given control and has not been interrupted since.", "docs/nesting.md"},
    {"nest:traps", "traps", "Of a machine: its interruptions. Of a monitor: the interruptions of its machine that it handled.", "docs/nesting.md"},
    {"nest:cycles", "cycles of a level", "What passed on the bare CPU while just this level ran: the machine itself, and not a guest on it.", "docs/nesting.md"},
    {"level", "level", "How many machines are below: 0 is the bare machine, 1 a virtual machine on it, 2 one on that.", "docs/nesting.md"},
    {"operand:storage", "operand", "What the next instruction refers to in storage: its address, and what is there now.", "\"Address Generation\""},
    {"operand:branch", "branch target", "Where the next instruction goes, if it branches.", "\"Address Generation\""},
    {"part:dispatcher", "dispatcher",
     "The part of a monitor where every trap arrives: it decides whose affair that is, and at the end whom to give the CPU.",
     "docs/module-abi.md"},
    {"part:interpreter", "interpreter",
     "The part of a monitor with one routine for each privileged instruction: it does on the virtual machine's state what "
     "the instruction does.",
     "docs/module-abi.md"},
    {"part:allocator", "allocator", "The part of a monitor that decides which frames are whose.", "docs/module-abi.md"},
    {"part:reflection", "reflection",
     "The monitor gives its guest an interruption as the CPU would have: old PSW and codes into the guest's page 0, new PSW "
     "from there.",
     "docs/module-abi.md"},
    {"story:instruction", "the instruction that trapped", "Or before which the interruption came.", "docs/story.md"},
    {"story:interruption", "the interruption", "Of the bare machine: the PSW exchange.", "docs/story.md"},
    {"story:entry", "the monitor is entered", "A monitor in C has control.", "docs/story.md"},
    {"story:decision", "the decision", "Of the dispatcher: what it is, and whose.", "docs/story.md"},
    {"story:interpretation", "interpretation", "By the routine that is named.", "docs/story.md"},
    {"story:fill", "a shadow entry is filled", "The page was missing in the shadow tables alone.", "docs/story.md"},
    {"story:purge", "shadow entries are purged", "The guest has changed its map.", "docs/story.md"},
    {"story:reflection", "reflection", "The virtual machine gets an interruption of its own.", "docs/story.md"},
    {"story:io", "I/O", "A channel program begins or ends.", "docs/story.md"},
    {"story:cell", "a cell", "A monitor in C executes a privileged instruction on its machine.", "docs/story.md"},
    {"story:dispatch", "dispatch", "It is decided who runs.", "docs/story.md"},
    {"story:resumption", "resumption", "The virtual machine's next instruction.", "docs/story.md"},
    {"story:stop", "the end", "There is no next instruction.", "docs/story.md"},
    {"monitor:none", "no monitor", "The program of this machine is an operating system or an application, not a monitor of this product.", ""},
    {"monitor:trap-and-emulate", "trap-and-emulate monitor",
     "Runs its guests in problem state, directly on the CPU. What is privileged traps, and is interpreted or reflected. "
     "Right for machines on which everything sensitive is privileged (Popek and Goldberg, theorem 1).",
     "docs/shadow-paging.md"},
    {"monitor:hybrid", "hybrid monitor",
     "Interprets all of virtual supervisor state, instruction by instruction, and runs virtual problem state directly "
     "(Popek and Goldberg, theorem 3).",
     "docs/hybrid.md"},
    {"monitor:assembler", "hypervisor in assembler",
     "A program of its machine that makes virtual machines by itself; it is seen through the map that it publishes in "
     "its page 0.",
     "docs/hypervisor.md"},
    {"trap:privileged operation", "trap: privileged operation",
     "The guest executed a privileged instruction in real problem state. If it believed itself in supervisor state, the "
     "monitor interprets it; if not, it is the guest's own fault, and is reflected.",
     "docs/architecture.md"},
    {"trap:missing page", "trap: missing page",
     "The shadow table has no entry. If the guest's own tables have the page, the monitor fills the entry and the "
     "instruction is repeated; if not, it is the guest's own page fault, and is reflected.",
     "docs/shadow-paging.md"},
    {"trap:protected page", "trap: protected page",
     "A store into a page that the monitor protects, to be told of changes (to tables, for example). It opens the page "
     "and the store is repeated; or the protection is the guest's, and is reflected.",
     "docs/shadow-paging.md"},
    {"trap:program", "trap: program exception", "A program interruption that would have come on the bare machine, too: reflected to the guest.", "docs/architecture.md"},
    {"trap:svc", "trap: SVC", "The guest calls its own supervisor. The monitor reflects it: old PSW into the guest's page 0, new PSW from there.", "docs/architecture.md"},
    {"trap:external", "trap: external interruption", "Of the monitor's own machine: a timer, the end of a guest's time slice.", "docs/architecture.md"},
    {"trap:i/o", "trap: I/O interruption", "A device of the monitor's machine, which works for a guest.", "docs/architecture.md"},

    {"event:interruption", "event: interruption", "A PSW exchange of the bare CPU: the only thing that the hardware does.", "docs/trace.md"},
    {"event:trap", "event: trap", "A monitor got control, and has classified why.", "docs/trace.md"},
    {"event:interpret", "event: interpret", "A monitor did a privileged instruction for its guest, on the guest's virtual state.", "docs/trace.md"},
    {"event:reflect", "event: reflect", "A monitor gave its guest an interruption: stored the old PSW in the guest's page 0, took the new one from there.", "docs/trace.md"},
    {"event:shadow_fill", "event: shadow fill", "A monitor made an entry of a shadow table valid.", "docs/trace.md"},
    {"event:shadow_purge", "event: shadow purge", "A monitor made entries of shadow tables invalid.", "docs/trace.md"},
    {"event:dispatch", "event: dispatch", "A monitor is about to give its guest the CPU.", "docs/trace.md"},
    {"event:io_start", "event: I/O started", "An I/O instruction ended; the condition code says how.", "docs/trace.md"},
    {"event:io_end", "event: I/O ended", "A device presented its status.", "docs/trace.md"},
    {"event:signal", "event: signal", "SIGP: one CPU gave another an order.", "docs/trace.md"},
    {"event:console", "event: console", "A line was written on a typewriter.", "docs/trace.md"},
    {"event:stop", "event: stop", "A machine stopped.", "docs/trace.md"},

    {"cause:direct", "cycles: direct", "Instructions that the CPU executed for this level.", "docs/nesting.md"},
    {"cause:tlb", "cycles: TLB", "Walks through tables after TLB misses, while this level ran.", "docs/cost-models.md"},
    {"cause:interruption", "cycles: interruption", "PSW exchanges, booked to the level that takes them.", "docs/nesting.md"},
    {"cause:dispatch", "cycles: dispatch", "A monitor saves its guest, decides who is next, and gives it the CPU.", "docs/nesting.md"},
    {"cause:interpretation", "cycles: interpretation", "A monitor does instructions of its guest.", "docs/nesting.md"},
    {"cause:shadow", "cycles: shadow", "A monitor walks its guest's tables, and fills and purges shadow entries.", "docs/shadow-paging.md"},
    {"cause:reflection", "cycles: reflection", "A monitor gives its guest interruptions.", "docs/nesting.md"},
    {"cause:device", "cycles: device", "A monitor works on its guest's I/O: channel programs translated, status passed on.", "docs/devices.md"},
    {"cause:idle", "cycles: idle", "Nobody had anything to do: the machine waited for a device or a clock.", "docs/nesting.md"},

    /* ---- Popek and Goldberg ---- */
    {"class:innocuous", "innocuous instruction", "Neither changes what is the machine's, nor depends on it: it may be executed directly, in every state.", "docs/classify.md"},
    {"class:control", "control-sensitive instruction (letter c)", "Changes mode, relocation or other resources of the machine. A monitor must do it for its guest.", "docs/classify.md"},
    {"class:behaviour", "behaviour-sensitive instruction (letter b)", "What it does depends on mode, relocation or resources: executed directly, it would show the guest the real ones.", "docs/classify.md"},
    {"class:privileged", "privileged instruction (letter p)", "Always traps in problem state, never in supervisor state.", "docs/classify.md"},
    {"class:critical", "critical instruction (letter C or B)", "Sensitive, and not privileged: no trap tells the monitor. Only the profile flawed has some.", "docs/classify.md"},
    {"class:traps", "instruction that always traps (letter T)", "Traps in either state, on purpose: it is a call.", "docs/classify.md"},
    {"map", "the map f",
     "From the guest's state to the host's: each page of the guest's storage to a frame of the host's, its registers to "
     "the CPU's or to the monitor's tables. Virtualization is right when it does not matter whether an instruction is "
     "executed before the map or after it: f(e(S)) = e'(f(S)).",
     "docs/properties.md"},
    {"map:storage", "a page of the guest in the host", "Where f puts this real page of the guest: the frame that the monitor gave it.", "docs/architecture.md"},
    {"map:ring", "rings", "Which state a program runs in: as it believes, and de-privileged, as it is.", "docs/properties.md"},
    {"map:frame", "a page's frame", "Where the guest's page lies in the host's storage, at every level down to the bare machine.", "docs/architecture.md"},
    {"map:disk", "a minidisk", "The guest's disk is a part of its host's: block 0 is some block there.", "docs/devices.md"},
    {NULL, NULL, NULL, NULL},
};
// clang-format on
