namespace RunbookServer.Commands;

/// <summary><c>runbook completion SHELL</c>: the script that a shell reads to complete commands, options and their values.</summary>
internal static class CompletionCommand
{
    // Each script asks the program what may come next, so that it never knows less than the program.
    private const string Bash = """
        _runbook() {
          local line="${COMP_LINE:0:COMP_POINT}"
          line="${line#* }"
          local IFS=$'\n'
          COMPREPLY=( $(runbook "[suggest:${#line}]" "$line" 2>/dev/null) )
        }
        complete -o default -F _runbook runbook
        """;

    private const string Zsh = """
        #compdef runbook
        _runbook() {
          local line="${BUFFER[1,CURSOR]#* }"
          local -a found
          found=("${(@f)$(runbook "[suggest:${#line}]" "$line" 2>/dev/null)}")
          compadd -- ${found:#} || _files
        }
        compdef _runbook runbook
        """;

    private const string Fish = """
        function __runbook_complete
          set -l line (commandline -cp | string replace -r '^\S+\s+' '')
          runbook "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c runbook -f -a '(__runbook_complete)'
        complete -c runbook -n 'test (count (__runbook_complete)) -eq 0' -F
        """;

    private const string Pwsh = """
        Register-ArgumentCompleter -Native -CommandName runbook -ScriptBlock {
          param($word, $ast, $position)
          $line = $ast.ToString()
          $line = $line.Substring(0, [Math]::Min($position, $line.Length)).PadRight($position) -replace '^\S+\s+', ''
          runbook "[suggest:$($line.Length)]" "$line" 2>$null | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
          }
        }
        """;

    public static Command Build()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        var command = new Command("completion", "Prints the script that completes commands and options in a shell.") { shell };
        command.SetAction(parsed =>
        {
            ConsoleOutput.Raw(parsed.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, "fish" => Fish, _ => Pwsh });
            return ExitCode.Done;
        });
        return command;
    }
}
