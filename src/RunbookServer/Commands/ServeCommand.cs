namespace RunbookServer.Commands;

/// <summary><c>runbook serve</c>, and <c>runbook</c> alone.</summary>
internal static class ServeCommand
{
    public const string Name = "serve";

    public static Command Build()
    {
        var command = new Command(Name, "Serves console, API and approval pages; with a sandbox unless told otherwise.");
        AddTo(command);
        return command;
    }

    public static Option<int> PortOption(string description, int usual)
    {
        var port = new Option<int>("--port") { Description = description, DefaultValueFactory = _ => usual };
        port.Validators.Add(result =>
        {
            if (result.Tokens is [var written] && !(int.TryParse(written.Value, out var number) && number is >= 0 and <= 65_535))
            {
                result.AddError("--port has to be a number from 0 to 65535.");
            }
        });
        return port;
    }

    /// <summary>The same options and action on any command: the root serves as well.</summary>
    public static void AddTo(Command command)
    {
        var port = PortOption("The port of console and API; 0 takes any free one.", ServerDefaults.Port);
        var data = new Option<DirectoryInfo>("--data") { Description = "Where everything is kept.", DefaultValueFactory = _ => new DirectoryInfo(ServerDefaults.DataDirectory) };
        var runbooks = new Option<string?>("--runbooks") { Description = "The folder of runbooks, or the address of the blob container that they are published to; ./runbooks or the shipped ones unless named." };
        var config = new Option<FileInfo?>("--config") { Description = "A JSON file with settings." };
        var noPractice = new Option<bool>("--no-practice") { Description = "No sandbox: integrations and messages as configured. Practice takes no settings of real systems, and no data folder or account of a host without it; nor the other way round." };
        var storage = new Option<string>("--storage") { Description = "Where incidents are kept: sqlite, in the data folder; azure, in a storage account that several processes share (settings: section Storage).", DefaultValueFactory = _ => "sqlite" };
        storage.AcceptOnlyFromAmong("sqlite", "azure");
        var listen = new Option<string>("--listen") { Description = "Who may connect: loopback, this machine alone; any, whoever reaches it (in a container; goes with --no-practice).", DefaultValueFactory = _ => "loopback" };
        listen.AcceptOnlyFromAmong("loopback", "any");
        command.Add(port);
        command.Add(data);
        command.Add(runbooks);
        command.Add(config);
        command.Add(noPractice);
        command.Add(storage);
        command.Add(listen);
        command.Validators.Add(result =>
        {
            // Practice opens pages without a key to whoever connects from this machine, and a proxy in front of it would be that.
            if (result.GetValue(listen) == "any" && !result.GetValue(noPractice))
            {
                result.AddError("--listen any goes with --no-practice: a sandbox is for this machine alone.");
            }
        });
        command.SetAction((parsed, cancellationToken) => ServerHost.RunAsync(
            new ServerSettings
            {
                Port = parsed.GetRequiredValue(port),
                DataDirectory = parsed.GetRequiredValue(data).FullName,
                RunbooksDirectory = parsed.GetValue(runbooks),
                ConfigFile = parsed.GetValue(config)?.FullName,
                Practice = !parsed.GetValue(noPractice),
                Storage = parsed.GetValue(storage) == "azure" ? StorageKind.Azure : StorageKind.Sqlite,
                ListenAny = parsed.GetValue(listen) == "any",
            },
            cancellationToken));
    }
}
