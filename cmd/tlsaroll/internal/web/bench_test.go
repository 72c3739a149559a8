package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// BenchmarkScrape gives what a scrape of many lineages takes.
func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{3, 300, 3000} {
		b.Run(fmt.Sprintf("lineages=%d", n), func(b *testing.B) {
			var status []rollover.LineageStatus
			for i := range n / 3 {
				for _, l := range site() {
					l.Name = fmt.Sprintf("%s-%d", l.Name, i)
					status = append(status, l)
				}
			}
			handler := (&Server{cfg: Config{Metrics: metricsOf(status)}}).handler()
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil))
			}
		})
	}
}
