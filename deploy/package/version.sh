#!/usr/bin/env bash
# The version of what is checked out, made of git's tags, as Debian and rpm sort
# it; or that of a text in the form of git describe:
#
#     v1.2.3                    1.2.3
#     v1.2.3-rc.1               1.2.3~rc.1              before 1.2.3
#     v1.2.3-4-gabcdef0         1.2.3+4.gabcdef0        after 1.2.3, before 1.2.4
#     v1.2.3-rc.1-4-gabcdef0    1.2.3~rc.1+4.gabcdef0   after rc.1, before 1.2.3
#     no tag                    0.0.0~git396.gabcdef0   before everything; 396 commits
#     changed files             …+dirty
#
# With --for apk or archlinux it is written as these sort it.
set -euo pipefail

for=deb
[[ ${1:-} != --for ]] || { for=$2; shift 2; }
if (($#)); then
	text=$1
elif ! text=$(git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null); then
	if count=$(git rev-list --count HEAD 2>/dev/null); then
		text=$(git describe --always --dirty --exclude '*')
		text=v0.0.0-git$count-g${text/-dirty/+dirty}
	else
		text=v0.0.0-devel # no git here
	fi
fi

dirty=
[[ $text != *[-+]dirty ]] || { dirty=1; text=${text%?dirty}; }
text=${text#v}
commits=
if [[ $text =~ ^(.*)-([0-9]+)-(g[0-9a-f]+)$ ]]; then # so many commits after the tag
	text=${BASH_REMATCH[1]} commits=${BASH_REMATCH[2]}.${BASH_REMATCH[3]}
fi
text=${text/-/\~} text=${text//-/.}
if [[ $commits ]]; then text+=+$commits; fi
if [[ $dirty && $text = *+* ]]; then text+=.dirty; elif [[ $dirty ]]; then text+=+dirty; fi
[[ $text =~ ^[0-9]+(\.[0-9]+)*(~[A-Za-z0-9.]+)?(\+[A-Za-z0-9.]+)?$ ]] || {
	echo "version.sh: got ${1:-$text}, want a version such as v1.2.3 or v1.2.3-rc.1" >&2
	exit 2
}

number=${text%%[~+]*}
case $for in
apk) # has only numbers and a few words: _rc1 is before a version and _p4 after it
	if [[ $text =~ ~(alpha|beta|pre|rc)\.?([0-9]*) ]]; then
		number+=_${BASH_REMATCH[1]}${BASH_REMATCH[2]}
	elif [[ $text =~ ~[a-z]*([0-9]*) ]]; then
		number+=_alpha${BASH_REMATCH[1]}
	fi
	[[ ! $text =~ \+([0-9]+)\. ]] || number+=_p${BASH_REMATCH[1]}
	echo "$number"
	;;
archlinux) echo "${text/\~/}" ;; # letters right behind a number are before it
*) echo "$text" ;;
esac
