# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
# shellcheck shell=bash
# Completion of erofs-ishare's command line. The names of rules come from the program itself.

_erofs_ishare_rules()
{
	"$1" rules 2>/dev/null | sed -n 's/^\([a-z]*\.[a-z0-9-]*\) .*/\1/p'
}

_erofs_ishare_options()
{
	case $1 in
	check)
		echo "--device= --offset= --flat --domain --digests --trust-opaque --budget= --profile= --rule=" \
			"--severity= --strict --verbose --limit= --format= --quiet --help"
		;;
	dump)
		echo "--device= --offset= --flat --limit= --format= --help"
		;;
	rules)
		echo "--format= --help"
		;;
	explain)
		echo "--help"
		;;
	esac
}

# The values of an option of a command.
_erofs_ishare_values()
{
	case $1:$2 in
	check:--format)
		echo "text json sarif tap github"
		;;
	*:--format)
		echo "text json"
		;;
	check:--severity)
		echo "error warning note"
		;;
	check:--profile)
		echo "linux-6.12 linux-6.12/4k linux-6.12/16k linux-6.12/64k" \
			"linux-7.3 linux-7.3/4k linux-7.3/16k linux-7.3/64k"
		;;
	check:--rule)
		_erofs_ishare_rules "$3"
		;;
	esac
}

_erofs_ishare_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

# The option that the last word is the value of. bash splits --option=value at the equals sign.
_erofs_ishare_option()
{
	if [ "$1" = = ]; then
		echo "$2"
	elif [ "$2" = = ]; then
		echo "$3"
	elif [[ $2 == --* ]]; then
		echo "$2"
	fi
}

_erofs_ishare()
{
	local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} option values choices=""

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < \
			<(compgen -W "check dump explain rules help --help --version" -- "$word")
		return
	fi
	option=$(_erofs_ishare_option "$word" "${COMP_WORDS[COMP_CWORD - 1]}" \
		"${COMP_WORDS[COMP_CWORD - 2]}")
	values=$(_erofs_ishare_values "$command" "$option" "$1")
	if [ "$word" = = ]; then
		word=""
	fi
	case $command:$option:$word in
	*:--device:*)
		_erofs_ishare_files "$word"
		return
		;;
	explain:*)
		choices="$(_erofs_ishare_rules "$1") $(_erofs_ishare_options explain)"
		;;
	help:*)
		choices="check dump explain rules"
		;;
	*)
		if [ -n "$values" ]; then
			choices=$values
		elif [[ $word == -* ]]; then
			choices=$(_erofs_ishare_options "$command")
		elif [ "$command" != rules ]; then
			_erofs_ishare_files "$word"
			return
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
	if [[ ${COMPREPLY[0]-} == *= ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

complete -F _erofs_ishare erofs-ishare
