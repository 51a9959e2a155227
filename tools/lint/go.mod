module callhome/tools/lint

go 1.26.0
