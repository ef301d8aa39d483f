/** `nsh completion fish`. */
export const fishScript = String.raw`# fish completion for nsh; printed by: nsh completion fish
# As ~/.config/fish/completions/nsh.fish, or: nsh completion fish | source

function __nsh_complete
    set -l output (command nsh __complete fish (commandline -cp) 2>/dev/null)
    set -l flags $output[1]
    switch "$flags"
        case files
            __fish_complete_path (commandline -ct)
        case directories
            __fish_complete_directories (commandline -ct)
        case commands
            __fish_complete_command
        case '*'
            for line in $output[2..-1]
                set -l parts (string split \t -- $line)
                printf '%s\t%s\n' $parts[1] $parts[3]
            end
    end
end

complete -c nsh -e
complete -c nsh -f -a '(__nsh_complete)'
`;
