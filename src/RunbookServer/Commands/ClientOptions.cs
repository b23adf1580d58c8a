using System.CommandLine;
using RunbookServer.Hosting;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary>How a command finds the running host: shared by all that talk to it.</summary>
internal sealed class ClientOptions
{
    private readonly Option<Uri> _url = new("--url")
    {
        Description = "The running host.",
        DefaultValueFactory = _ => new Uri(LocalDefaults.Address),
        CustomParser = result =>
        {
            if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            {
                return url;
            }

            result.AddError($"--url has to be an address such as {LocalDefaults.Address}.");
            return null;
        },
    };

    private readonly Option<DirectoryInfo> _data = new("--data")
    {
        Description = "The host's data folder, for its api-key file.",
        DefaultValueFactory = _ => new DirectoryInfo(LocalDefaults.DataDirectory),
    };

    private readonly Option<string?> _key = new("--key") { Description = "The API key, where the key file is not at hand." };

    public void AddTo(Command command)
    {
        command.Add(_url);
        command.Add(_data);
        command.Add(_key);
    }

    public ApiClient Connect(ParseResult parsed) => new(parsed.GetRequiredValue(_url), Key(parsed));

    private string Key(ParseResult parsed)
    {
        if (parsed.GetValue(_key) is { Length: > 0 } given)
        {
            return given;
        }

        var file = Path.Combine(parsed.GetRequiredValue(_data).FullName, LocalDefaults.KeyFile);
        return File.Exists(file)
            ? File.ReadAllText(file).Trim()
            : throw new CommandException($"There is no key file {file}. Start the host first, or name its folder with --data or the key with --key.", ExitCode.Unreachable);
    }
}
