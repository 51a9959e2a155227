package syslog

// maxSegments is the most segments one ISE message is cut into.
const maxSegments = 512
