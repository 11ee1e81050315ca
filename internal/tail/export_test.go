package tail

var UsedTwice = usedTwice
