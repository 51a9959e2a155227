// Package gatewaydrain measures a transport gateway's backlog: how fast messages are taken while no upstream answers, and
// how fast they leave once one does. It has nothing but a benchmark; BACKLOG says how many messages, 100,000 otherwise:
//
//	go test ./bench/gatewaydrain -bench . -benchtime 1x -timeout 30m
package gatewaydrain
