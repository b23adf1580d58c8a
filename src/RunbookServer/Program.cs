using System.Text;
using RunbookServer.Commands;

// Elsewhere this is the default. In the console's own code page a report would not be the UTF-8 that it declares, and an exported test
// would be refused.
if (OperatingSystem.IsWindows())
{
    Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
}

ProxyBeyondThisMachine.Use();
return await CommandLine.RunAsync(args);
