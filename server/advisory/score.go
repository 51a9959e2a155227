package advisory

import (
	"strings"

	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"
)

// baseScore computes the base score, 0 to 10, of a CVSS vector of version 3.0, 3.1 or 4.0.
func baseScore(vector string) (float64, error) {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		v, err := gocvss40.ParseVector(vector)
		if err != nil {
			return 0, err
		}
		return v.Score(), nil
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		v, err := gocvss30.ParseVector(vector)
		if err != nil {
			return 0, err
		}
		return v.BaseScore(), nil
	}
	v, err := gocvss31.ParseVector(vector)
	if err != nil {
		return 0, err
	}
	return v.BaseScore(), nil
}

// impacts are the words of impacts, with those that makers use in their place.
var impacts = map[string]string{
	"critical": "critical", "high": "high", "important": "high", "medium": "medium", "moderate": "medium", "low": "low", "informational": "none", "none": "none",
}

// rate brings a notice's impact to one of our words, taking it from the score where it has none.
func rate(n *Notice) {
	if word, ok := impacts[strings.ToLower(n.Impact)]; ok {
		n.Impact = word
		return
	}
	n.Impact = ""
	if n.Vector != "" {
		if word, err := gocvss31.Rating(n.Score); err == nil {
			n.Impact = strings.ToLower(word)
		}
	}
}
