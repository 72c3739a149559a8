package exec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

// asCommand is the argument by which the test program is a command.
const asCommand = "as-a-command"

// command is what somebody would write for a host with an API: it hands on what it is asked,
// and puts the host's refusals into the words of the schema.
func command(what string, stdin io.Reader, stdout, stderr io.Writer) int {
	body, err := io.ReadAll(stdin)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	for {
		request, err := http.NewRequest(http.MethodPost, os.Getenv("API_URL")+"/"+what, bytes.NewReader(body))
		if err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		request.Header.Set("Authorization", "Bearer "+os.Getenv("API_TOKEN"))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			fmt.Fprintln(stderr, "warning: nobody reads this")
			fmt.Fprintf(stderr, "%v, with the token %s.\n", err, os.Getenv("API_TOKEN"))
			return 1
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		status := ""
		switch code := response.StatusCode; {
		case err != nil || code >= 500:
			fmt.Fprintln(stderr, response.Status)
			return 75
		case code == http.StatusOK:
			_, _ = stdout.Write(text)
			return 0
		case code == http.StatusTooManyRequests:
			if s, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && s < 10 {
				time.Sleep(time.Duration(s) * time.Second)
				continue
			}
			status = "temporary"
		case code == http.StatusUnauthorized, code == http.StatusForbidden:
			status = "refused"
		case code == http.StatusNotFound:
			status = "no-zone"
		case code == http.StatusConflict:
			status = "temporary"
		case code == http.StatusUnprocessableEntity:
			status = "malformed"
		}
		_ = json.NewEncoder(stdout).Encode(map[string]any{
			"version": 1, "status": status, "message": response.Status + ":\n" + string(text) + " (token " + os.Getenv("API_TOKEN") + ").",
		})
		return 0
	}
}
