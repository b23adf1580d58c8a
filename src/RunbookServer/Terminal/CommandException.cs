namespace RunbookServer.Terminal;

/// <summary>A command ends here. The message is for a person: what, where and the remedy.</summary>
internal sealed class CommandException(string message, int exitCode = ExitCode.Usage) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
