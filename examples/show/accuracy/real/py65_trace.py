# What py65 does with a 6502 program, a line an instruction, in the form of `--example trace6502`.
# usage: py65_trace.py PROGRAM OUT; the program is loaded and started at 0x0400, and ends where it jumps to itself.
import sys
import time

from py65.devices.mpu6502 import MPU

program, out = sys.argv[1:3]
mpu = MPU(pc=0x0400)
code = open(program, "rb").read()
mpu.memory[0x0400:0x0400 + len(code)] = code
mpu.sp, mpu.p = 0xFD, 0x24
with open(out, "w") as log:
    pc, ordinal = None, 0
    while mpu.pc != pc:
        pc, opcode = mpu.pc, mpu.memory[mpu.pc]
        mpu.step()
        log.write(f'{{"thread":"cpu","ordinal":{ordinal},"host_ns":{time.monotonic_ns()},"cycles":{mpu.processorCycles},'
                  f'"payload":{{"pc":"0x{pc:04x}","opcode":"0x{opcode:02x}","a":"0x{mpu.a:02x}","x":"0x{mpu.x:02x}",'
                  f'"y":"0x{mpu.y:02x}","sp":"0x{mpu.sp:02x}","p":"0x{mpu.p:02x}"}}}}\n')
        ordinal += 1
