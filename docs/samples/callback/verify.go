// How a business system checks a callback of the platform (§7.3): see docs/callbacks.md. Standard library only.
package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	toleranceSeconds = 300
	maxLineBytes     = 16 << 20
)

// verify returns the fields of a genuine, recent callback, and false for anything else. Only fields that the signature
// covers are returned, so an empty one counts as absent. body is what arrived, byte for byte; secrets are the callback
// secrets held (whsec_…); now is in seconds since 1970.
func verify(body []byte, secrets []string, now int64) (map[string]string, bool) {
	fields, ok := parse(body)
	if !ok {
		return nil, false
	}
	signs := []string{fields["sign"], fields["sign_previous"]}
	delete(fields, "sign")
	delete(fields, "sign_previous")
	for key, value := range fields {
		if value == "" {
			delete(fields, key)
		}
	}
	genuine := isSigned(canonical(fields), signs, secrets)
	timestamp, err := strconv.ParseUint(fields["timestamp"], 10, 62)
	age := now - int64(timestamp)
	recent := err == nil && -toleranceSeconds <= age && age <= toleranceSeconds
	if !genuine || !recent {
		return nil, false
	}
	return fields, true
}

func canonical(fields map[string]string) string {
	keys := make([]string, 0, len(fields))
	for key := range fields {
		keys = append(keys, key)
	}
	sort.Strings(keys) // by bytes; sorting the pairs would put "a-b=" before "a="
	pairs := make([]string, 0, len(fields))
	for _, key := range keys {
		pairs = append(pairs, key+"="+fields[key])
	}
	return strings.Join(pairs, "&")
}

func isSigned(text string, signs, secrets []string) bool {
	for _, secret := range secrets {
		key, ok := keyOf(secret)
		if !ok {
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		expected := hex.EncodeToString(mac.Sum(nil))
		for _, sign := range signs {
			if hmac.Equal([]byte(sign), []byte(expected)) {
				return true
			}
		}
	}
	return false
}

// A secret that is not whsec_ and base64 has no key, and nothing is genuine by it.
func keyOf(secret string) ([]byte, bool) {
	text := strings.TrimPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	return key, err == nil && len(key) > 0 && text != secret
}

// JSON's grammar, narrowed to an object of strings. encoding/json is not asked, because it passes equal keys and puts
// U+FFFD where a surrogate stands alone.
const (
	space     = `[ \t\r\n]*`
	hexDigit  = `[0-9A-Fa-f]`
	unit      = `(?:[0-9A-CEFa-cef]` + hexDigit + `|[Dd][0-7])` + hexDigit + `{2}`
	surrogate = `[Dd][89ABab]` + hexDigit + `{2}\\u[Dd][C-Fc-f]` + hexDigit + `{2}`
	escape    = `\\(?:["\\/bfnrt]|u` + unit + `|u` + surrogate + `)`
	quoted    = `"(?:[^"\\\x00-\x1f]|` + escape + `)*"`
	pair      = quoted + space + `:` + space + quoted + space
	object    = `^` + space + `\{` + space + `(?:` + pair + `(?:,` + space + pair + `)*)?\}` + space + `$`
)

var (
	quotedPattern = regexp.MustCompile(quoted)
	objectPattern = regexp.MustCompile(object)
)

// parse reads a JSON object of strings, in UTF-8 and with each key once.
func parse(body []byte) (map[string]string, bool) {
	if !utf8.Valid(body) || !objectPattern.Match(body) {
		return nil, false
	}
	parts := quotedPattern.FindAll(body, -1) // key, value, key, value …
	fields := make(map[string]string, len(parts)/2)
	for ; len(parts) > 0; parts = parts[2:] {
		var key, value string
		if json.Unmarshal(parts[0], &key) != nil || json.Unmarshal(parts[1], &value) != nil {
			return nil, false
		}
		if _, twice := fields[key]; twice {
			return nil, false
		}
		fields[key] = value
	}
	return fields, true
}

// main reads lines of now, secrets joined by commas, and base64 of the body, separated by tabs.
func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLineBytes)
	for lines.Scan() {
		parts := strings.Split(lines.Text(), "\t")
		if len(parts) != 3 {
			log.Fatal("a line has not three parts")
		}
		now, err := strconv.ParseInt(parts[0], 10, 64)
		if err != nil {
			log.Fatal(err)
		}
		body, err := base64.StdEncoding.DecodeString(parts[2])
		if err != nil {
			log.Fatal(err)
		}
		if _, ok := verify(body, strings.Split(parts[1], ","), now); ok {
			fmt.Println("valid")
		} else {
			fmt.Println("invalid")
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
