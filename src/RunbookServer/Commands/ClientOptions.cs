namespace RunbookServer.Commands;

internal sealed class ClientOptions
{
    private readonly Option<Uri?> _url = new("--url")
    {
        Description = $"The running host; the one that started on the data folder unless named, else {ServerDefaults.Address}.",
        CustomParser = result =>
        {
            if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            {
                return url;
            }

            result.AddError($"--url has to be an address such as {ServerDefaults.Address}.");
            return null;
        },
    };

    private readonly Option<DirectoryInfo> _data = new("--data")
    {
        Description = "The host's data folder, for its api-key file.",
        DefaultValueFactory = _ => new DirectoryInfo(ServerDefaults.DataDirectory),
    };

    private readonly Option<string?> _key = new("--key") { Description = "The API key, where the key file is not at hand." };

    /// <summary>A command that talks to a running host. Its own options come first in the help.</summary>
    public static Command WithHost(Command command, Func<ParseResult, ApiClient, CancellationToken, Task<int>> run)
    {
        var client = new ClientOptions();
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var api = client.Connect(parsed);
            return await run(parsed, api, cancellationToken);
        });
        return command;
    }

    public void AddTo(Command command)
    {
        command.Add(_url);
        command.Add(_data);
        command.Add(_key);
    }

    /// <summary>The incident that a command is about. An empty or dotted id would lead to another address.</summary>
    public static Argument<string> IncidentId(string description = "The incident's id.")
    {
        var id = new Argument<string>("id") { Description = description };
        id.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var given }] && given.Trim() is "" or "." or "..")
            {
                result.AddError($"'{given}' is no incident's id; {ThisProgram.Command} incidents lists them.");
            }
        });
        return id;
    }

    public static Option<string> By(string who) => new("--by")
    {
        Description = who,
        DefaultValueFactory = _ => Environment.UserName,
    };

    public static Option<string?> Reason(string why = "Why; goes on the record.") => new("--reason") { Description = why };

    public ApiClient Connect(ParseResult parsed)
    {
        var address = parsed.GetValue(_url) ?? AddressIn(parsed.GetRequiredValue(_data), ServerDefaults.AddressFile);
        return new(address ?? new Uri(ServerDefaults.Address), Key(parsed));
    }

    /// <summary>The sandbox of the host that started on the data folder; null where another host is named, or it has no sandbox.</summary>
    public Uri? FindSandbox(ParseResult parsed) =>
        parsed.GetValue(_url) is null ? AddressIn(parsed.GetRequiredValue(_data), ServerDefaults.SandboxAddressFile) : null;

    /// <summary>
    /// The address that the host of this data folder wrote down for itself or its sandbox. It is always of this machine: the key would be
    /// sent to any other that somebody else wrote there.
    /// </summary>
    public static Uri? AddressIn(DirectoryInfo data, string name)
    {
        var file = Path.Combine(data.FullName, name);
        return File.Exists(file) && Uri.TryCreate(Read(file), UriKind.Absolute, out var address) && address is { Scheme: "http", IsLoopback: true }
            ? address
            : null;
    }

    private string Key(ParseResult parsed) => Find(parsed) is var key && key.All(character => character is > ' ' and <= '~')
        ? key
        : throw new CommandException(
            "The key holds characters that no key has, such as a line break in its middle. Copy it anew.", ExitCode.Unreachable);

    private string Find(ParseResult parsed)
    {
        if (parsed.GetValue(_key)?.Trim() is { Length: > 0 } given)
        {
            return given;
        }

        var file = Path.Combine(parsed.GetRequiredValue(_data).FullName, ServerDefaults.KeyFile);
        return File.Exists(file)
            ? Read(file)
            : throw new CommandException(
                $"There is no key file {file}. Start the host first, or name its folder with --data or the key with --key.",
                ExitCode.Unreachable);
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(
                $"The key file {file} cannot be read: {Failures.Innermost(unreadable)} "
                + "Run this as the user who started the host, or give the key with --key.");
        }
    }
}
