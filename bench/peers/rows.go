package main

// row is one row of the performance goals.
type row struct {
	id      string
	title   string
	measure func(*bench) ([]Result, error)
}

// rows are those of agent and back end, in the order of the goals. The names of growth rows begin with g.
var rows = []row{
	{"1", "TCP intake, CPU", (*bench).tcpCPU},
	{"2", "TCP intake, one connection, lines/s", (*bench).tcpRate},
	{"3", "five layouts, eight connections", (*bench).mixed},
	{"4", "TLS intake", (*bench).tlsIntake},
	{"5", "UDP at a pace", (*bench).udpPaced},
	{"6", "UDP as fast as it goes", (*bench).udpBlast},
	{"7", "parsing one line", (*bench).parse},
	{"8", "1,000 subscriptions, one line", (*bench).subscriptions},
	{"9", "line to HTTP", (*bench).latencyHTTP},
	{"10", "line to SMTP", (*bench).latencySMTP},
	{"11", "durable queue and delivery by SMTP", (*bench).throughSMTP},
	{"12", "durable queue and delivery by HTTPS", (*bench).throughHTTPS},
	{"13", "back end: durable accept by HTTP", (*bench).acceptHTTP},
	{"14", "back end: durable accept by HTTPS", (*bench).acceptHTTPS},
	{"15", "back end: durable accept on a slow disk", (*bench).slowAccept},
	{"15a", "slow fsync, and fsyncs counted", (*bench).slowSync},
	{"16", "back end: the whole path", (*bench).wholePath},
	{"17", "XML decoding", (*bench).xmlDecode},
	{"18", "idle memory", (*bench).idle},
	{"19", "queued messages: memory, disk, start", (*bench).queued},
	{"21", "size of the binary", (*bench).size},
	{"20s", "back end: start with a full archive", (*bench).serverStart},
	{"22", "lists of a full archive", (*bench).portalLists},
	{"23", "counts of a full archive", (*bench).portalCounts},
	{"24", "search in a full archive", (*bench).portalSearch},
	{"g-lines", "growth: lines 1 M to 5 M", (*bench).growLines},
	{"g-size", "growth: message size 8 KiB to 1 MiB", (*bench).growSize},
}
