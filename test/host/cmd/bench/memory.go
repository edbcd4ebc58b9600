package main

import (
	"fmt"
	"os"
	"strings"
)

// memory is what a process holds of the machine's, in MiB. Resident counts pages of the executable too, which the kernel takes back when it
// needs them and which several processes share; private is what is in no file: stacks, heaps, buffers.
type memory struct{ resident, private float64 }

func memoryOf(pid int) (memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return memory{}, err
	}
	found := memory{}
	for line := range strings.SplitSeq(string(text), "\n") {
		var kibibytes float64
		if _, err := fmt.Sscanf(line, "Rss: %f kB", &kibibytes); err == nil {
			found.resident = kibibytes / 1024
		}
		if _, err := fmt.Sscanf(line, "Anonymous: %f kB", &kibibytes); err == nil {
			found.private = kibibytes / 1024
		}
	}
	if found.resident == 0 {
		return memory{}, fmt.Errorf("no Rss of process %d", pid)
	}
	return found, nil
}
