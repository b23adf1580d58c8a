namespace RunbookServer.Terminal;

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
