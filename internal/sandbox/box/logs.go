package box

import (
	"io"
	"os"
	"strings"
)

// tail is how much of a log's end is read to find its last line.
const tail = 4 << 10

// lastLine returns the last line of a log, where a process that failed says why;
// empty when there is none.
func lastLine(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > tail {
		if _, err := file.Seek(-tail, io.SeekEnd); err != nil {
			return ""
		}
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "kubebox: ")
}
