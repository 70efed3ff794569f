# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
# shellcheck shell=bash
# Completion of erofs-ishare's command line. The names of rules come from the program itself.

_erofs_ishare_rules()
{
	"$1" rules 2>/dev/null | cut -d ' ' -f 1
}

_erofs_ishare_options()
{
	case $1 in
	check)
		echo "--device= --domain --digests --profile= --rule= --severity= --strict --format= --help"
		;;
	dump)
		echo "--device= --format= --help"
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
		echo "text json sarif tap"
		;;
	*:--format)
		echo "text json"
		;;
	check:--severity)
		echo "error warning note"
		;;
	check:--profile)
		echo "linux-6.12 linux-6.12/4k linux-6.12/16k linux-6.12/64k linux-7.3 linux-7.3/4k linux-7.3/16k linux-7.3/64k"
		;;
	check:--rule)
		_erofs_ishare_rules "$3"
		;;
	esac
}

_erofs_ishare()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
	local further="" option choices=""

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "check dump explain rules help --help --version" -- "$word")
		return
	fi
	# bash splits --option=value at the equals sign: the option is then one or two words back
	further=${COMP_WORDS[COMP_CWORD - 2]}
	if [ "$word" = = ]; then
		option=$before
		word=""
	elif [ "$before" = = ]; then
		option=$further
	else
		option=""
	fi
	if [ "$option" = --device ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	elif [ -n "$option" ]; then
		choices=$(_erofs_ishare_values "$command" "$option" "$1")
	elif [ "$command" = explain ]; then
		choices="$(_erofs_ishare_rules "$1") $(_erofs_ishare_options explain)"
	elif [ "$command" = help ]; then
		choices="check dump explain rules"
	elif [[ $word == -* ]]; then
		choices=$(_erofs_ishare_options "$command")
	elif [ "$command" != rules ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
	if [[ ${COMPREPLY[0]-} == *= ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

complete -o filenames -F _erofs_ishare erofs-ishare
