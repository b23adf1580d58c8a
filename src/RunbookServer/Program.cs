using System.Text;
using RunbookServer.Commands;

// Elsewhere it is that already. In the console's own code page a report that says of itself that it is UTF-8 is not, and an exported test is refused.
if (OperatingSystem.IsWindows())
{
    Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
}

ProxyBeyondThisMachine.Use();
return await CommandLine.RunAsync(args);
