#!/bin/sh
# Writes a text of about MEGABYTES MB to standard output: always the same one for the same size.
# usage: make-text.sh MEGABYTES
set -eu
awk -v bytes="$(($1 * 1000000))" '
  BEGIN {
    count = split("the tow line holds a barge while lock gates open slowly and water rises under grey morning light boatmen wait then pull again toward open river past mills fields villages bridges until night falls over quiet harbour", word, " ")
    seed = 20200
    while (written < bytes) {
      line = ""
      for (i = 0; i < 12; i++) {
        # a small linear congruential generator: the same numbers in every awk
        seed = (seed * 1103 + 12345) % 65536
        line = line word[1 + int(seed / 65536 * count * seed / 65536)] " "
      }
      print line
      written += length(line) + 1
    }
  }'
