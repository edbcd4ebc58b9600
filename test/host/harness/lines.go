package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// lineBytesMax is what go-plugin reads as one line; the rest of a longer one is torn off and logged raw (client.go logStderr).
const lineBytesMax = 64 * 1024

// timestampLayout is the only one go-plugin's log parser takes (log_entry.go); another makes the whole line a debug message.
const timestampLayout = "2006-01-02T15:04:05.000000Z07:00"

// Lines collects what is written to it, line by line.
type Lines struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *Lines) Write(part []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(part)
}

// All lines so far, without the empty ones.
func (l *Lines) All() []string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var lines []string
	for line := range strings.SplitSeq(l.text.String(), "\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func (l *Lines) String() string { return strings.Join(l.All(), "\n") }

// CheckLogLine says what Grafana would make of a line on stderr other than a log entry of the right level. A `@message` that is no
// string even panics in the host.
func CheckLogLine(line string) error {
	if len(line) >= lineBytesMax {
		return fmt.Errorf("a line of %d bytes, more than the %d the host reads at once: %.200s…", len(line), lineBytesMax, line)
	}
	var entry map[string]any
	if err := json.Unmarshal([]byte(line), &entry); err != nil {
		return fmt.Errorf("not JSON (%w): %.400s", err, line)
	}
	for _, key := range []string{"@message", "@level", "@timestamp"} {
		if _, ok := entry[key].(string); !ok {
			return fmt.Errorf("%s is no string: %.400s", key, line)
		}
	}
	if _, err := time.Parse(timestampLayout, entry["@timestamp"].(string)); err != nil {
		return fmt.Errorf("@timestamp: %w", err)
	}
	if hclog.LevelFromString(entry["@level"].(string)) == hclog.NoLevel {
		return fmt.Errorf("@level is %q", entry["@level"])
	}
	return nil
}
