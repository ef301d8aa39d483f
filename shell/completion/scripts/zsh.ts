/** `nsh completion zsh`: as a file `_nsh` in a directory of $fpath, or evaluated after compinit. */
export const zshScript = String.raw`#compdef nsh
# zsh completion for nsh; printed by: nsh completion zsh
# As a file _nsh in a directory of $fpath, or in ~/.zshrc after compinit: eval "$(nsh completion zsh)"

_nsh() {
  local line value open description flags
  local -a output values shown openvalues openshown options
  line="\${(j: :)words[1,CURRENT-1]} $PREFIX"
  output=("\${(@f)$(command "\${(Q)words[1]/#\~/$HOME}" __complete zsh "$line" 2>/dev/null)}")
  flags=$output[1]
  shift output
  case $flags in
    files) _files; return ;;
    directories) _files -/; return ;;
    commands) _command_names -e; return ;;
    replace) options=(-U) ;;
  esac
  for line in $output; do
    value=\${line%%$'\t'*}
    description=\${line#*$'\t'*$'\t'}
    open=\${\${line#*$'\t'}%%$'\t'*}
    [[ -n $description ]] && description="$value  -- $description" || description=$value
    if [[ -n $open ]]; then
      openvalues+=("$value") openshown+=("$description")
    else
      values+=("$value") shown+=("$description")
    fi
  done
  (( $#values )) && compadd $options -V nsh -l -d shown -a values
  (( $#openvalues )) && compadd $options -V nsh-open -S '' -l -d openshown -a openvalues
  (( $#values + $#openvalues ))
}

if [[ $funcstack[1] == _nsh ]]; then
  _nsh "$@"
elif (( $+functions[compdef] )); then
  compdef _nsh nsh
fi
`.replaceAll('\\$', '$');
