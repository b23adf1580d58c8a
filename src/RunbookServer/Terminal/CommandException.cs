namespace RunbookServer.Terminal;

/// <summary>A command ends here. The message is for a person: what, where and the remedy.</summary>
internal sealed class CommandException(string message, int exitCode = ExitCode.Usage) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}

/// <summary>What the command line says to a script.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>The command ran and the answer is no: a runbook is invalid, a test failed, somebody else decided first.</summary>
    public const int Failed = 1;

    /// <summary>The command could not begin: unknown option, port taken, data folder unusable.</summary>
    public const int Usage = 2;

    /// <summary>The running host could not be reached or refused the key.</summary>
    public const int Unreachable = 3;
}
