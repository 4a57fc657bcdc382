# Answers every request with what was asked, as JSON: a web service that any Debian host can run.
use strict;
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
    my ($length, $first) = (0, '');
    while (my $line = <$client>) {
        $first ||= $line;
        $length = $1 if $line =~ /^content-length:\s*(\d+)/i;
        last if $line =~ /^\r?\n$/;
    }
    my $body = '';
    read($client, $body, $length) if $length;
    my ($method, $path) = split ' ', $first;
    my $status = $path =~ m{^/missing} ? '404 Not Found' : '200 OK';
    my $answer = sprintf '{"method":"%s","path":"%s","length":%d}', $method, $path, length $body;
    printf $client "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
        $status, length $answer, $answer;
    close $client;
}
