namespace RunbookServer.Hosting;

/// <summary>What holds when nothing is said.</summary>
internal static class LocalDefaults
{
    public const int Port = 7071;
    public const string Address = "http://localhost:7071";
    public const string DataDirectory = "data";

    /// <summary>In the data folder; made at the first start.</summary>
    public const string KeyFile = "api-key";
}
