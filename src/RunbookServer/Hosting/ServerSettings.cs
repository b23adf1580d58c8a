namespace RunbookServer.Hosting;

/// <summary>How one machine's host was started.</summary>
internal sealed record ServerSettings
{
    /// <summary>0 takes any free one.</summary>
    public int Port { get; init; } = ServerDefaults.Port;

    public string DataDirectory { get; init; } = ServerDefaults.DataDirectory;

    /// <summary>A folder or the address of a container. Null: <c>./runbooks</c> where there is one, otherwise the shipped ones beside the program.</summary>
    public string? RunbooksDirectory { get; init; }

    /// <summary>A JSON file with settings, in the same sections that the Functions app reads.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>The sandbox runs, integrations point at it, messages go to the outbox, pages open without a key.</summary>
    public bool Practice { get; init; } = true;

    public StorageKind Storage { get; init; }

    /// <summary>Console and API answer on every address of the machine, not only to the machine itself.</summary>
    public bool ListenAny { get; init; }

    public string OutboxDirectory => Path.Combine(DataDirectory, "outbox");

    public string EvidenceDirectory => Path.Combine(DataDirectory, "evidence");
}

/// <summary>Where incidents and their history are kept.</summary>
internal enum StorageKind
{
    /// <summary>In the data folder, by one process.</summary>
    Sqlite,

    /// <summary>In a storage account that several processes share: section <c>Storage</c>.</summary>
    Azure,
}

/// <summary>What holds when nothing is said.</summary>
internal static class ServerDefaults
{
    public const int Port = 7071;
    public const string Address = "http://localhost:7071";
    public const string DataDirectory = "data";

    /// <summary>In the data folder: where the host that was started on it listens.</summary>
    public const string AddressFile = "address";

    /// <summary>In the data folder; made at the first start.</summary>
    public const string KeyFile = "api-key";
}
