# Where two 6502 traces part: instruction by instruction, the columns cut out by their places in the line.
# Bits 4 and 5 of p are no flip-flops of the processor.
import re
import sys

COLUMNS = re.compile(r'"pc":"(..*?)","opcode":"(.*?)","a":"(.*?)","x":"(.*?)","y":"(.*?)","sp":"(.*?)","p":"0x(..)"')


def instruction(line):
    *columns, p = COLUMNS.search(line).groups()
    return columns, int(p, 16) & 0xCF


with open(sys.argv[1]) as reference, open(sys.argv[2]) as candidate:
    for number, (one, other) in enumerate(zip(reference, candidate), 1):
        if instruction(one) != instruction(other):
            print(f'{{"reference": {number}, "candidate": {number}, "kind": "value", "map": "\\"cpu\\"=\\"cpu\\""}}')
            break
