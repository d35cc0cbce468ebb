#!/bin/sh
# A known function of two numbers: a narrow valley whose lowest point, 0, lies at x = 1, y = 1.
# usage: program_shell.sh X Y
awk -v x="$1" -v y="$2" 'BEGIN { printf "value: %.10g\n", (1 - x)^2 + 10 * (y - x^2)^2 }'
