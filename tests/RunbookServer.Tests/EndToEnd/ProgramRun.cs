using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using RunbookServer.Commands;
using Spectre.Console;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Runs a command to its end, with what it writes. A start of the program costs a second, so most commands run in this process.</summary>
internal static class ProgramRun
{
    private static readonly AsyncLocal<StringWriter?> s_output = new(), s_error = new();
    private static readonly Lock s_sharing = new();
    private static (TextWriter Output, TextWriter Error)? s_shared;

    /// <summary>As <c>Main</c> calls it.</summary>
    public static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        ShareTheConsole();
        StringWriter output = new(), error = new();
        (s_output.Value, s_error.Value) = (output, error);
        var code = await CommandLine.RunAsync(arguments).WaitAsync(Patience.Limit);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>In a process of its own, without a terminal.</summary>
    public static Task<(int Code, string Output, string Error)> StartAsync(params string[] arguments) => StartAsync(new Dictionary<string, string>(), arguments);

    /// <param name="variables">What its environment has beside.</param>
    /// <inheritdoc cref="StartAsync(string[])"/>
    public static async Task<(int Code, string Output, string Error)> StartAsync(IReadOnlyDictionary<string, string> variables, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "runbook.dll"), .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience.Limit);
            return (process.ExitCode, await output, error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    /// <summary>What is beside the program is beside the tests.</summary>
    [ModuleInitializer]
    internal static void StandBesideTheProgram() => Environment.CurrentDirectory = AppContext.BaseDirectory;

    /// <summary>What a command writes goes to the test that runs it. Whoever runs the tests may have taken the console since the last time.</summary>
    private static void ShareTheConsole()
    {
        lock (s_sharing)
        {
            if (s_shared is var (output, error) && ReferenceEquals(output, Console.Out) && ReferenceEquals(error, Console.Error))
            {
                return;
            }

            Console.SetOut(new SharedWriter(Console.Out, s_output));
            Console.SetError(new SharedWriter(Console.Error, s_error));
            s_shared = (Console.Out, Console.Error);
            AnsiConsole.Console = AnsiConsole.Create(new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(Console.Out),
            });
        }
    }

    private sealed class SharedWriter(TextWriter before, AsyncLocal<StringWriter?> current) : TextWriter
    {
        public override Encoding Encoding => before.Encoding;

        public override void Write(char value) => Target.Write(value);

        public override void Write(char[] buffer, int index, int count) => Target.Write(buffer, index, count);

        public override void Write(string? value) => Target.Write(value);

        public override void Flush() => Target.Flush();

        private TextWriter Target => current.Value ?? before;
    }
}
