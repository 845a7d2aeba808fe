#!/usr/bin/env python3
"""Two tasks, the second of which reads what the first has made, and a third that fails. Needs a running daemon."""

import os
import sys

from towline import TaskFailed, Towline, TowlineError

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGE = os.environ.get("DEMO_IMAGE", "docker://registry:5000/mini:1")


def pipeline(towline):
    count = {
        "name": "count",
        "image": IMAGE,
        "inputs": [f"{os.path.dirname(HERE)}/text-demo/count-words.sh", f"{HERE}/words.txt"],
        "command": "sh ../inputs/count-words.sh ../inputs/words.txt counts.txt 0.5",
        "share": ["counts.txt"],
    }
    with towline.run(count) as count:
        counts = f"workflow:///{count.id}/counts.txt"
        top = {"name": "top", "image": IMAGE, "command": ["head", "-n", "3", counts]}
        find = {"name": "find", "image": IMAGE, "command": ["grep", "unicorn", counts]}
        with towline.run(top) as top, towline.run(find) as find:
            for line in count.lines():
                print(line, flush=True)
            count.wait()
            print("the most frequent:")
            for line in top.lines():
                print(line)
            top.wait()
            try:
                find.wait()
            except TaskFailed as failed:
                if failed.code != "TASK_EXIT_CODE":
                    raise
                print(f"no unicorn: grep ended with {failed.exit_code}")


def main():
    try:
        pipeline(Towline())
    except TowlineError as error:
        sys.exit(f"{error.code}: {error.message}\nhint: {error.hint}")
    except KeyboardInterrupt:  # the tasks were cancelled on the way here
        sys.exit(130)


if __name__ == "__main__":
    main()
