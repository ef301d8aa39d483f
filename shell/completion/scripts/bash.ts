/** `nsh completion bash`. Under bash 4.4 and newer, with or without bash-completion. */
export const bashScript = String.raw`# bash completion for nsh; printed by: nsh completion bash
# In ~/.bashrc: eval "$(nsh completion bash)"

_nsh() {
  local flags value open description width=0 i
  local -a values=() descriptions=()
  COMPREPLY=()
  {
    IFS= read -r flags
    while IFS= read -r value; do
      description=\${value#*$'\t'*$'\t'}
      value=\${value%%$'\t'*}
      values+=("$value") descriptions+=("$description")
      (( \${#value} > width )) && width=\${#value}
    done
  } < <(command "\${1/#\~/$HOME}" __complete bash "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
  case $flags in
    files) compopt -o default; return ;;
    directories) compopt -o dirnames -o filenames; return ;;
    commands) mapfile -t COMPREPLY < <(compgen -c -- "$2"); return ;;
    nospace) compopt -o nospace ;;
  esac
  compopt -o nosort 2>/dev/null
  # The second Tab lists: with what each of them means.
  if (( COMP_TYPE == 63 && \${#values[@]} > 1 )); then
    for i in "\${!values[@]}"; do
      [[ -n \${descriptions[i]} ]] || continue
      printf -v values[i] "%-*s  (%s)" "$width" "\${values[i]}" "\${descriptions[i]:0:\${COLUMNS:-80} - width - 5}"
    done
  fi
  COMPREPLY=("\${values[@]}")
}

complete -F _nsh nsh
`.replaceAll('\\$', '$');
