package host

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fieldgate/test/host/harness"
)

// bring sends a body to `import` and wants it taken.
func bring(t *testing.T, source harness.Source, kind string, body []byte) (imported, refused int) {
	t.Helper()
	answer, err := source.CallResource(within(t), harness.Request{Method: "POST", Path: "import", Headers: map[string]string{"Content-Type": kind}, Body: body})
	must(t, err)
	if answer.Status != 200 {
		t.Fatalf("import answers %d: %s", answer.Status, answer.Body)
	}
	var told struct{ Imported, Refused int }
	must(t, answer.JSON(&told))
	return told.Imported, told.Refused
}

func exported(t *testing.T, source harness.Source, format string) []byte {
	t.Helper()
	body, _, err := open(t, source, "export?from=now-2h&quality=all&format="+format, nil).Rest()
	must(t, err)
	return body
}

// nothing is a data source that only has a history.
func nothing(t *testing.T, folder string) harness.Source {
	t.Helper()
	asked := source(start(t, harness.Options{Env: dataIn(folder)}), object{"version": 1})
	asked.User = harness.Person("Admin")
	eventually(t, patience, func() error { return storesOnDisk(t, asked) })
	return asked
}

func TestHistoryMovesToAnotherInstanceAndIsTheSame(t *testing.T) {
	from := nothing(t, t.TempDir())
	var csv strings.Builder
	csv.WriteString("time,device,point,value,quality,reason,kind\r\n")
	begin := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	for row := range 5000 {
		at := begin.Add(time.Duration(row) * 100 * time.Millisecond).Format("2006-01-02T15:04:05.000Z07:00")
		fmt.Fprintf(&csv, "%s,meter,energy,%d,good,,uint64\r\n%s,meter,state,\"=a, \"\"%d\"\"\",uncertain,clock,string\r\n", at, uint64(1<<63)+uint64(row), at, row)
	}
	csv.WriteString("this is no line\r\n")
	if imported, refused := bring(t, from, "text/csv", []byte(csv.String())); imported != 10000 || refused != 1 {
		t.Errorf("%d imported and %d refused", imported, refused)
	}
	to := nothing(t, t.TempDir())
	for format, kind := range map[string]string{"csv": "text/csv", "ndjson": "application/x-ndjson", "arrow": "application/vnd.apache.arrow.stream"} {
		file := exported(t, from, format)
		if imported, refused := bring(t, to, kind, file); imported != 10000 || refused != 0 {
			t.Errorf("%s: %d imported and %d refused", format, imported, refused)
		}
		if !bytes.Equal(exported(t, to, format), file) {
			t.Errorf("%s is not what it was", format)
		}
	}
	answer, err := to.Get(within(t), "series?device=meter")
	must(t, err)
	wantWords(t, string(answer.Body), `"kind":"uint64"`, `"samples":5000`, `"matching":2`)

	gone, err := to.CallResource(within(t), harness.Request{Method: "DELETE", Path: "history", Query: map[string][]string{"device": {"meter"}, "point": {"state"}}})
	must(t, err)
	wantWords(t, string(gone.Body), `"samples":5000`)
	if left := exported(t, to, "csv"); bytes.Contains(left, []byte("state")) || bytes.Count(left, []byte("\r\n")) != 5001 {
		t.Error("what was deleted is there, or what was not is gone")
	}
}

func TestABodyThatIsTooLargeIsRefusedAndThePluginLives(t *testing.T) {
	asked := nothing(t, t.TempDir())
	for _, size := range []int{15<<20 + 1, 17 << 20} {
		answer, err := asked.CallResource(within(t), harness.Request{Method: "POST", Path: "import", Headers: map[string]string{"Content-Type": "text/csv"}, Body: make([]byte, size)})
		if err == nil && answer.Status != 413 {
			t.Errorf("%d bytes: %d", size, answer.Status)
		}
	}
	if imported, _ := bring(t, asked, "text/csv", []byte("time,device,point,value\n"+time.Now().UTC().Format(time.RFC3339)+",d,p,1\n")); imported != 1 {
		t.Error("it takes nothing any more")
	}
}

func TestABackupIsTheHistoryAgain(t *testing.T) {
	folder := t.TempDir()
	asked := nothing(t, folder)
	at := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	bring(t, asked, "text/csv", []byte("time,device,point,value\n"+at+",d,p,42\n"))
	answer, err := asked.Post(within(t), "backup", object{})
	must(t, err)
	var made struct {
		Name, SHA256 string
		Bytes        int
	}
	must(t, answer.JSON(&made))
	file, err := os.ReadFile(filepath.Join(folder, "backups", made.Name))
	must(t, err)
	sum := sha256.Sum256(file)
	if hex.EncodeToString(sum[:]) != made.SHA256 || len(file) != made.Bytes {
		t.Errorf("the file is not what was said: %+v", made)
	}
	listed, err := asked.Get(within(t), "backups")
	must(t, err)
	wantWords(t, string(listed.Body), made.Name, made.SHA256)
	want := exported(t, asked, "csv")

	restored := t.TempDir()
	must(t, os.WriteFile(filepath.Join(restored, "fieldgate.db"), file, 0o600))
	// History is kept under the uid of its data source.
	again := asked
	again.Plugin = start(t, harness.Options{Env: dataIn(restored)})
	eventually(t, patience, func() error {
		if got := exported(t, again, "csv"); !bytes.Equal(got, want) {
			return errors.New("it holds " + string(got))
		}
		return nil
	})
}
