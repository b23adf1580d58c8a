using Microsoft.AspNetCore.Connections;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;

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

    public static void AddTo(Command command)
    {
        var port = PortOption("The port of console and API; 0 takes any free one.", ServerDefaults.Port);
        var data = new Option<DirectoryInfo>("--data")
        {
            Description = "Where everything is kept.",
            DefaultValueFactory = _ => new DirectoryInfo(ServerDefaults.DataDirectory),
        };
        var runbooks = new Option<string?>("--runbooks")
        {
            Description = "The folder of runbooks, or the address of the blob container that they are published to; "
                + "./runbooks or the shipped ones unless named.",
        };
        var config = new Option<FileInfo?>("--config") { Description = "A JSON file with settings." };
        var noPractice = new Option<bool>("--no-practice")
        {
            Description = "No sandbox: integrations and messages as configured. "
                + "Practice takes no settings of real systems, and no data folder or account of a host without it; "
                + "nor the other way round.",
        };
        var storage = new Option<string>("--storage")
        {
            Description = "Where incidents are kept: sqlite, in the data folder; "
                + "azure, in a storage account that several processes share (settings: section Storage).",
            DefaultValueFactory = _ => "sqlite",
        };
        storage.AcceptOnlyFromAmong("sqlite", "azure");
        var listen = new Option<string>("--listen")
        {
            Description = "Who may connect: loopback, this machine alone; "
                + "any, whoever reaches it (in a container; goes with --no-practice).",
            DefaultValueFactory = _ => "loopback",
        };
        listen.AcceptOnlyFromAmong("loopback", "any");
        foreach (var option in new Option[] { port, data, runbooks, config, noPractice, storage, listen })
        {
            command.Add(option);
        }

        command.Validators.Add(result =>
        {
            // Practice opens pages without a key to connections from this machine, which those of a proxy in front of it would be.
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

/// <summary><c>runbook sandbox</c>: the sandbox alone, so that the Functions app can be pointed at it.</summary>
internal static class SandboxCommand
{
    public static Command Build()
    {
        var port = ServeCommand.PortOption("Its port; 0 takes any free one.", SandboxOptions.DefaultPort);
        var state = new Option<FileInfo?>("--state")
        {
            Description = "A file that keeps what was done to it over a restart; without it, it begins anew.",
        };
        var log = new Option<FileInfo?>("--log")
        {
            Description = "A file that gets a line of JSON for each request: when, what, and the status that was answered.",
        };
        var command = new Command("sandbox", "Runs the sandbox alone.") { port, state, log };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new SandboxOptions
            {
                Port = parsed.GetRequiredValue(port),
                StateFile = parsed.GetValue(state)?.FullName,
                LogFile = parsed.GetValue(log)?.FullName,
            };
            await using var sandbox = await StartAsync(options, cancellationToken);
            ConsoleOutput.Raw($"The sandbox listens on {sandbox.BaseAddress}. These settings point a host at it "
                + "(for RunbookServer as environment variables with RUNBOOK_ before each; "
                + "'runbook serve' in practice has a sandbox of its own):");
            foreach (var (key, value) in SandboxSettings.For(sandbox.BaseAddress))
            {
                ConsoleOutput.Raw($"  {key.Replace(":", "__", StringComparison.Ordinal)}={value}");
            }

            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task<SandboxServer> StartAsync(SandboxOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await SandboxServer.StartAsync(options, cancellationToken);
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            throw new CommandException($"Port {options.Port} is taken. Stop what listens there, or choose another with --port.");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"The sandbox cannot start: {refused.Message} Choose other files with --state or --log.");
        }
    }
}
